-- At most one upgrade of a tenant is open. Of several that an earlier wikictl left
-- open the newest stays so: it is the one whose way back is right. A generated column
-- has no IF NOT EXISTS in MySQL, so that the statements are prepared.

UPDATE upgrade o JOIN upgrade n ON n.tenant = o.tenant AND n.ended IS NULL
  AND (n.started > o.started OR (n.started = o.started AND n.run > o.run))
  SET o.ended = UTC_TIMESTAMP(3), o.error = CONCAT('a later upgrade was begun before this one had ended; it was ', o.phase), o.phase = 'superseded'
  WHERE o.ended IS NULL;

SET @wikictl = IF((SELECT COUNT(*) FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'upgrade' AND COLUMN_NAME = 'open_tenant') > 0, 'DO 0',
  'ALTER TABLE upgrade
     ADD COLUMN open_tenant VARCHAR(64) GENERATED ALWAYS AS (IF(ended IS NULL, tenant, NULL)) VIRTUAL COMMENT ''the tenant, while this upgrade is open'',
     ADD COLUMN undone_by VARCHAR(32) NULL COMMENT ''run of the rollback that put the tenant back'',
     ADD COLUMN undo_backup VARCHAR(255) NULL COMMENT ''file of the dump that the rollback made before it'',
     ADD UNIQUE KEY one_open (open_tenant)');
PREPARE wikictl FROM @wikictl;
EXECUTE wikictl;
DEALLOCATE PREPARE wikictl;
