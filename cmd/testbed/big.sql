-- A wiki of MediaWiki 1.39 with {pages} pages, as its own tables hold them. {revisions}
-- and such are numbers that the bench fills in. Page 1 stays what the installer wrote.
SET sql_mode = '', unique_checks = 0, autocommit = 0;
SET @actor = (SELECT MIN(actor_id) FROM actor);

INSERT INTO comment (comment_id, comment_hash, comment_text)
	SELECT 1000 + seq, seq, CONCAT('Comment ', seq) FROM seq_1_to_{comments};
INSERT INTO page (page_id, page_namespace, page_title, page_random, page_touched, page_links_updated, page_latest, page_len, page_content_model)
	SELECT 1000 + seq, 0, CONCAT('Page_', seq), seq / {pages}, '20240101000000', '20240101000000', 1000 + {pages} * 2 + seq, 100, 'wikitext' FROM seq_1_to_{pages};
INSERT INTO revision (rev_id, rev_page, rev_actor, rev_timestamp, rev_len, rev_parent_id, rev_sha1)
	SELECT 1000 + seq, 1001 + (seq - 1) MOD {pages}, @actor, '20240101000000' + seq MOD 86400, 100, GREATEST(1000 + CAST(seq AS SIGNED) - {pages}, 0), LEFT(MD5(seq), 31)
	FROM seq_1_to_{revisions};
INSERT INTO revision_comment_temp SELECT 1000 + seq, 1001 + seq MOD {comments} FROM seq_1_to_{revisions};
COMMIT;

INSERT INTO pagelinks (pl_from, pl_namespace, pl_title)
	SELECT 1001 + (seq - 1) DIV 4, 0, CONCAT('Page_', 1 + (seq * 7919) MOD {revisions}) FROM seq_1_to_{pagelinks};
INSERT INTO linktarget (lt_id, lt_namespace, lt_title) SELECT 1000 + seq, 10, CONCAT('Template_', seq) FROM seq_1_to_{templates};
INSERT INTO templatelinks (tl_from, tl_target_id) SELECT 1001 + (seq - 1) DIV 2, 1001 + (seq * 31) MOD {templates} FROM seq_1_to_{links};
INSERT INTO categorylinks (cl_from, cl_to, cl_sortkey, cl_timestamp, cl_collation)
	SELECT 1001 + (seq - 1) DIV 2, CONCAT('Category_', (seq * 37) MOD {templates}), CONCAT('PAGE ', seq), '2024-01-01 00:00:00', 'uppercase' FROM seq_1_to_{links};
INSERT INTO externallinks (el_from, el_to, el_index, el_index_60)
	SELECT 1001 + (seq - 1) DIV 2, CONCAT('https://example', seq MOD 1000, '.org/path/', seq), CONCAT('https://org.example', seq MOD 1000, './path/', seq),
		LEFT(CONCAT('https://org.example', seq MOD 1000, './path/', seq), 60) FROM seq_1_to_{links};
COMMIT;

INSERT INTO logging (log_type, log_action, log_timestamp, log_actor, log_title, log_page, log_comment_id, log_params)
	SELECT 'create', 'create', '20240101000000' + seq MOD 86400, @actor, CONCAT('Page_', seq), 1000 + seq, 1001 + seq MOD {comments}, '' FROM seq_1_to_{pages};
INSERT INTO searchindex (si_page, si_title, si_text)
	SELECT 1000 + seq, CONCAT('page ', seq), CONCAT('word', seq MOD 5000, ' another', seq MOD 977, ' and some more text of the page') FROM seq_1_to_{pages};
INSERT INTO recentchanges (rc_timestamp, rc_actor, rc_title, rc_comment_id, rc_cur_id, rc_this_oldid, rc_last_oldid, rc_source, rc_ip)
	SELECT '20240101000000' + seq MOD 86400, @actor, CONCAT('Page_', seq), 1001 + seq MOD {comments}, 1000 + seq, 1000 + {pages} * 2 + seq, 1000 + {pages} + seq, 'mw.edit', ''
	FROM seq_1_to_{changes};
COMMIT;
ANALYZE TABLE page, revision, revision_comment_temp, pagelinks, templatelinks, categorylinks, externallinks, logging, recentchanges;
