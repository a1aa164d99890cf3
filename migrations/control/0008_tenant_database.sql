-- Further databases of tenants, which wikictl made because their definitions name them.
-- A row comes before the database, and goes after it.

CREATE TABLE IF NOT EXISTS tenant_database (
  server        VARCHAR(64)  NOT NULL,
  database_name VARCHAR(64)  NOT NULL,
  tenant        VARCHAR(64)  NOT NULL,
  made          TINYINT      NOT NULL DEFAULT 0 COMMENT '0: it may not exist yet',
  run           VARCHAR(64)  NOT NULL COMMENT 'that made it',
  PRIMARY KEY (server, database_name),
  KEY tenant (tenant)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
