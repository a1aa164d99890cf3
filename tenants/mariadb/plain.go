package mariadb

import (
	"context"
	"database/sql/driver"
	"fmt"
)

// plainSession gives a session MariaDB's own defaults, whatever the server's configuration
// has, and no limits of time: a session of wikictl may wait for a long dump, and hold a lock
// meanwhile. MySQL, and versions that lack a variable, skip it by its comment
// ("Comment Syntax" in MariaDB's Knowledge Base).
const plainSession = `SET SESSION time_zone = '+00:00', sql_mode = 'STRICT_TRANS_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION', ` +
	`character_set_client = utf8mb4, character_set_results = utf8mb4, collation_connection = utf8mb4_bin, ` +
	`autocommit = 1, completion_type = 0, foreign_key_checks = 1, unique_checks = 1, sql_safe_updates = 0, sql_auto_is_null = 0, ` +
	`sql_select_limit = 18446744073709551615, group_concat_max_len = 1048576, default_storage_engine = InnoDB, wait_timeout = 86400` +
	`/*M! , max_statement_time = 0 */` +
	`/*M!100300 , idle_transaction_timeout = 0, idle_readonly_transaction_timeout = 0, idle_write_transaction_timeout = 0 */` +
	`/*M!110402 , innodb_snapshot_isolation = OFF */`

// makePlain gives a new connection a plain session.
func makePlain(ctx context.Context, conn driver.Conn) error {
	execer, ok := conn.(driver.ExecerContext)
	if !ok {
		return fmt.Errorf("a connection of type %T takes no statement", conn)
	}
	for _, statement := range []string{plainSession, "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ"} {
		if _, err := execer.ExecContext(ctx, statement, nil); err != nil {
			return err
		}
	}
	return nil
}
