-- How upgrades went on scratch copies of a wiki's tables, and the copies that exist. Times
-- are UTC.

CREATE TABLE IF NOT EXISTS rehearsal (
  fingerprint CHAR(16)    NOT NULL PRIMARY KEY COMMENT 'of the tables, updates, code and settings that it holds for',
  new_set     CHAR(16)    NOT NULL COMMENT 'component_set that was upgraded to',
  result      MEDIUMTEXT  NOT NULL COMMENT 'JSON',
  run         VARCHAR(32) NOT NULL COMMENT 'that made it',
  used        DATETIME(3) NOT NULL,
  KEY new_set (new_set)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS scratch (
  name        VARCHAR(64) NOT NULL PRIMARY KEY COMMENT 'of its folder below state/wikis; the names of its database and accounts follow from it',
  server      VARCHAR(64) NOT NULL,
  fingerprint CHAR(16)    NOT NULL COMMENT 'of the rehearsal, whose lock the run holds that uses it',
  run         VARCHAR(32) NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
