-- The farm that this ledger belongs to. Several farms that share a server have a
-- database each, so that none sees the rows of another. Times are UTC.

CREATE TABLE IF NOT EXISTS farm (
  one     TINYINT      NOT NULL DEFAULT 1 PRIMARY KEY COMMENT 'always 1: there is one row at most',
  id      CHAR(16)     NOT NULL COMMENT 'as state/farm.toml has it',
  dir     TEXT         NOT NULL COMMENT 'folder of the definitions',
  machine VARCHAR(255) NOT NULL COMMENT 'where that folder is',
  since   DATETIME(3)  NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
