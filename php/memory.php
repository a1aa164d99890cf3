<?php
/**
 * Remembers what the updater of MediaWiki asks a database again and again: whether a
 * table is there, whether its log has a key, which columns and indexes a table has. It
 * is only right while nobody else changes tables, and it sends nothing by itself.
 */
namespace {

/** Answers of one connection that nothing has changed since. */
class WikictlMemory {
	/** @var mysqli_result[] by question */
	private array $answers = [];
	/** @var string[][] questions by table, in small letters; those about all tables under "" */
	private array $about = [];
	/** @var array<string,string>[] what there is, as it is written by its small letters: tables of a database, keys of a log */
	private array $lists = [];

	private const COMMENT = '\s+/\*[^*]*\*/\s+';

	/** The answer to a question, asked by $ask where it has to be; false when there was an error; null when it is no such question. */
	public function answer( string $sql, callable $ask ) {
		$c = self::COMMENT;
		if ( preg_match( "~^SELECT$c(1)\\s+FROM `information_schema`\\.`tables`\\s+WHERE table_schema = ('[^'\\\\]*') AND table_name = '([^'\\\\]*)'\\s+LIMIT 1\\s*$~", $sql, $m ) ) {
			return $this->listed( 'tables ' . $m[2], "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = $m[2]", '1', $m[3], $sql, $ask );
		}
		if ( preg_match( "~^SELECT$c(1|1 AS X)\\s+FROM (`\\w*updatelog`)\\s+WHERE ul_key = '((?:[^'\\\\]|\\\\\\\\)*)'\\s+LIMIT 1\\s*$~", $sql, $m ) ) {
			return $this->listed( 'log', "SELECT ul_key FROM $m[2]", $m[1], str_replace( '\\\\', '\\', $m[3] ), $sql, $ask );
		}
		if ( preg_match( "~^SELECT\\s+/\\* \\S*::fieldInfo\\s[^*]*\\*/\\s+\\* FROM `(\\w+)` LIMIT 1\\s*$~", $sql, $m ) ) {
			return $this->kept( "fields $m[1]", strtolower( $m[1] ), $sql, $ask );
		}
		if ( preg_match( "~^SHOW{$c}INDEX FROM `(\\w+)`$~", $sql, $m ) ) {
			return $this->kept( "indexes $m[1]", strtolower( $m[1] ), $sql, $ask );
		}
		if ( preg_match( "~^SHOW{$c}TABLES LIKE '((?:[^'\\\\%_]|\\\\_)*)'$~", $sql, $m ) ) {
			return $this->kept( "like $m[1]", '', $sql, $ask );
		}
		return null;
	}

	private function kept( string $question, string $table, string $sql, callable $ask ) {
		$answer = $this->answers[$question] ?? null;
		if ( $answer ) {
			WikictlStatements::$counts['remembered']++;
			$answer->data_seek( 0 );
			return $answer;
		}
		$answer = $ask( $sql );
		if ( $answer instanceof mysqli_result ) {
			$this->answers[$question] = $answer;
			$this->about[$table][] = $question;
		}
		return $answer;
	}

	/** Whether a list, which is read once, has an entry: the answer has one row, or none. */
	private function listed( string $list, string $all, string $row, string $entry, string $sql, callable $ask ) {
		$this->lists[$list] ??= $this->read( $all, $ask );
		$there = $this->lists[$list][strtolower( rtrim( $entry ) )] ?? null;
		// What differs in letters or spaces only is for the server to compare, and what is no ASCII.
		if ( $there !== null && $there !== $entry || preg_match( '~[^ -\~]~', $entry ) || $this->lists[$list] === [] ) {
			return $ask( $sql );
		}
		return $this->kept( ( $there === null ? 'none ' : 'one ' ) . $row, "\0", $sql, $ask );
	}

	private function read( string $all, callable $ask ): array {
		$list = [];
		$answer = $ask( $all );
		foreach ( $answer instanceof mysqli_result ? $answer->fetch_all() : [] as [ $name ] ) {
			$list[strtolower( rtrim( $name ) )] = $name;
		}
		return $list;
	}

	/** Forget what a statement may change that goes to the server. */
	public function learn( string $sql ): void {
		$word = strtoupper( strtok( $sql, " \t\r\n" ) ?: '' );
		$rest = preg_replace( '~^\w+\s*(?:/\*[^*]*\*/)?\s*~', '', $sql );
		if ( in_array( $word, [ 'INSERT', 'UPDATE', 'DELETE', 'REPLACE', 'ROLLBACK' ] ) ) {
			if ( $word === 'ROLLBACK' || stripos( $sql, 'updatelog' ) !== false ) {
				$this->learnKey( $word, $rest );
			}
		} elseif ( in_array( $word, [ 'CREATE', 'DROP' ] ) && preg_match( '~^TABLE `(\w+)`(?: CASCADE$|\s*\()~', $rest, $m ) ) {
			$this->forget( $m[1] );
			$this->forget( '' );
			$this->lists = [];
		} elseif ( $word === 'ALTER' && preg_match( '~^TABLE\s+`?(\w+)`?\s~', $rest, $m ) && stripos( $rest, 'RENAME' ) === false ) {
			$this->forget( $m[1] );
		} elseif ( !in_array( $word, [ 'SELECT', 'SHOW', 'SET', 'BEGIN', 'START', 'COMMIT', 'SAVEPOINT', 'RELEASE', 'EXPLAIN', 'DESCRIBE' ] ) ) {
			$this->forgetAll();
		}
	}

	/** A key that is added to the log is known; after anything else it is read again. */
	private function learnKey( string $word, string $rest ): void {
		if ( isset( $this->lists['log'] ) && $word === 'INSERT' && preg_match( "~^IGNORE INTO `\\w*updatelog` \\(ul_key\\) VALUES \\('([ -&(-\\[\\]-\\~]{1,200})'\\)$~", $rest, $m ) ) {
			$this->lists['log'][strtolower( rtrim( $m[1] ) )] ??= $m[1];
		} else {
			unset( $this->lists['log'] );
		}
	}

	public function forgetAll(): void {
		$this->answers = $this->about = $this->lists = [];
	}

	/** Forget what is known about a table. */
	public function forget( string $table ): void {
		foreach ( $this->about[strtolower( $table )] ?? [] as $question ) {
			unset( $this->answers[$question] );
		}
		unset( $this->about[strtolower( $table )] );
	}
}

}
