-- The order in which upgrades of a tenant began, which a clock that was set back does not
-- change. Earlier ones have 0 and are in the order of their times.

SET @wikictl = IF((SELECT COUNT(*) FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'upgrade' AND COLUMN_NAME = 'number') > 0, 'DO 0',
  'ALTER TABLE upgrade ADD COLUMN number BIGINT NOT NULL DEFAULT 0 COMMENT ''rises with each upgrade of the tenant''');
PREPARE wikictl FROM @wikictl;
EXECUTE wikictl;
DEALLOCATE PREPARE wikictl;
