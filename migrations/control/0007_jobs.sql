-- How many of MediaWiki's jobs were run for each tenant, by the hour. Times are UTC.

CREATE TABLE IF NOT EXISTS jobs_run (
  tenant  VARCHAR(64) NOT NULL,
  hour    DATETIME    NOT NULL COMMENT 'that begins then',
  done    BIGINT      NOT NULL DEFAULT 0,
  failed  BIGINT      NOT NULL DEFAULT 0 COMMENT 'MediaWiki tries them again',
  seconds DOUBLE      NOT NULL DEFAULT 0 COMMENT 'that they took',
  PRIMARY KEY (tenant, hour),
  KEY hour (hour)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
