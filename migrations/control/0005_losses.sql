-- What upgrades left out, until somebody has taken note of it, and what was counted
-- before an upgrade changed anything. Times are UTC.

CREATE TABLE IF NOT EXISTS loss (
  id           BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  tenant       VARCHAR(64)  NOT NULL,
  run          VARCHAR(32)  NOT NULL COMMENT 'of the upgrade',
  table_name   VARCHAR(64)  NOT NULL COMMENT 'empty: a script said so, and no table lacks rows',
  row_count    BIGINT       NOT NULL COMMENT 'that are left out, or lines that a script printed',
  what         TEXT         NOT NULL COMMENT 'such as: update.php left out 1 block (ipb_id 1)',
  backup       VARCHAR(255) NULL COMMENT 'file of the dump that has it',
  noted        DATETIME(3)  NOT NULL,
  undone       TINYINT      NOT NULL DEFAULT 0 COMMENT '1: the upgrade was put back',
  acknowledged DATETIME(3)  NULL,
  acknowledger VARCHAR(255) NULL COMMENT 'user@host pid N',
  KEY tenant_run (tenant, run)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS census (
  tenant VARCHAR(64) NOT NULL,
  run    VARCHAR(32) NOT NULL COMMENT 'of the upgrade',
  counts MEDIUMTEXT  NOT NULL COMMENT 'JSON: rows by table, and more, of before the upgrade',
  PRIMARY KEY (tenant, run)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
