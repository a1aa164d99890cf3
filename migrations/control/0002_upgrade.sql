-- Upgrades of tenants, their backups, and the farm's own SQL. Times are UTC.

CREATE TABLE IF NOT EXISTS upgrade (
  run            VARCHAR(32)  NOT NULL,
  tenant         VARCHAR(64)  NOT NULL,
  phase          VARCHAR(16)  NOT NULL COMMENT 'see mariadb.Phase',
  old_codebase   VARCHAR(64)  NOT NULL,
  old_version    VARCHAR(32)  NOT NULL,
  old_set        CHAR(16)     NOT NULL COMMENT 'component_set before',
  old_release    INT          NOT NULL,
  new_codebase   VARCHAR(64)  NOT NULL,
  new_version    VARCHAR(32)  NOT NULL,
  new_set        CHAR(16)     NOT NULL,
  new_release    INT          NOT NULL DEFAULT 0,
  backup         VARCHAR(255) NULL COMMENT 'file of the dump, below state',
  backup_bytes   BIGINT       NOT NULL DEFAULT 0,
  started        DATETIME(3)  NOT NULL,
  opened         DATETIME(3)  NULL COMMENT 'when the wiki could be written again',
  ended          DATETIME(3)  NULL,
  error          TEXT         NULL,
  PRIMARY KEY (tenant, run),
  KEY run (run)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS farm_sql (
  tenant   VARCHAR(64)  NOT NULL,
  name     VARCHAR(190) NOT NULL COMMENT 'of the file',
  checksum CHAR(64)     NOT NULL,
  run      VARCHAR(32)  NOT NULL,
  PRIMARY KEY (tenant, name)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
