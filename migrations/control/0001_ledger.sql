-- What wikictl knows of the farm. Times are UTC.

CREATE TABLE IF NOT EXISTS tenant (
  name          VARCHAR(64)  NOT NULL PRIMARY KEY,
  server        VARCHAR(64)  NOT NULL,
  database_name VARCHAR(64)  NOT NULL,
  codebase      VARCHAR(64)  NOT NULL COMMENT 'name of the codebase that it runs on',
  version       VARCHAR(32)  NOT NULL COMMENT 'MW_VERSION of that codebase',
  component_set CHAR(16)     NOT NULL COMMENT 'the code that its database was made or upgraded for',
  state         VARCHAR(16)  NOT NULL COMMENT 'creating, made, ready',
  run           VARCHAR(32)  NOT NULL COMMENT 'the run that last changed this row',
  changed       DATETIME(3)  NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS run (
  id       VARCHAR(32)  NOT NULL PRIMARY KEY,
  command  VARCHAR(32)  NOT NULL,
  holder   VARCHAR(255) NOT NULL COMMENT 'user@host pid N',
  started  DATETIME(3)  NOT NULL,
  finished DATETIME(3)  NULL,
  done     INT NOT NULL DEFAULT 0,
  same     INT NOT NULL DEFAULT 0,
  failed   INT NOT NULL DEFAULT 0,
  skipped  INT NOT NULL DEFAULT 0
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS step (
  id      BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  run     VARCHAR(32) NOT NULL,
  tenant  VARCHAR(64) NOT NULL,
  step    VARCHAR(32) NOT NULL,
  error   TEXT        NULL,
  seconds DOUBLE      NOT NULL,
  ended   DATETIME(3) NOT NULL,
  KEY tenant_step (tenant, step, id),
  KEY run (run)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS session (
  server     VARCHAR(64)     NOT NULL,
  connection BIGINT UNSIGNED NOT NULL COMMENT 'that holds the locks of a run on this server',
  holder     VARCHAR(255)    NOT NULL,
  since      DATETIME(3)     NOT NULL,
  PRIMARY KEY (server, connection)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
