<?php
/**
 * Reads statements that change one table's columns or indexes, and says which of
 * them may go to the server as one. It sends nothing.
 *
 * MediaWiki's patches change a table by many statements, each of which makes MariaDB
 * write the table's definition, and often its rows, anew. One ALTER TABLE of all of
 * them does so once. What is not understood in full is not joined.
 */
namespace {

/** One part of an ALTER TABLE. */
class WikictlPart {
	/** @var string[] columns and indexes that it adds, such as "column a" and "index i" */
	public array $adds = [];
	/** @var string[] those that it takes away, or changes what they are */
	public array $takes = [];
	/** @var string[] columns that it needs as they will be */
	public array $reads = [];

	public function __construct( public string $text ) {
	}
}

/** A statement that changes columns and indexes of one table. */
class WikictlAlter {
	/**
	 * What makes a definition more than that of one plain column at the table's end:
	 * its place, its indexes, and expressions over other columns.
	 */
	private const NOT_PLAIN = [ 'FIRST', 'AFTER', 'UNIQUE', 'PRIMARY', 'KEY', 'REFERENCES', 'CHECK', 'AS', 'GENERATED',
		'VIRTUAL', 'PERSISTENT', 'STORED', 'WITH', 'WITHOUT', 'AUTO_INCREMENT', 'SERIAL', 'CONSTRAINT', 'IF' ];

	/** @param WikictlPart[] $parts */
	private function __construct( public string $table, public array $parts ) {
	}

	/** The statement in parts; null when it is another one, or not understood in full. */
	public static function read( string $sql ): ?self {
		$tokens = self::tokens( $sql );
		if ( !$tokens ) {
			return null;
		}
		$first = self::word( $tokens, 0 );
		if ( $first === 'ALTER' && self::word( $tokens, 1 ) === 'TABLE' ) {
			$table = self::name( $tokens, 2 );
			$parts = [];
			foreach ( self::split( array_slice( $tokens, 3 ) ) as $one ) {
				$parts[] = self::part( $one );
			}
		} elseif ( $first === 'CREATE' || $first === 'DROP' ) {
			[ $table, $part ] = self::index( $tokens, $first );
			$parts = [ $part ];
		} else {
			return null;
		}
		if ( $table === null || in_array( null, $parts, true ) || !$parts ) {
			return null;
		}
		$alter = new self( $table, [] );
		foreach ( $parts as $part ) {
			if ( !$alter->fits( [ $part ] ) ) {
				return null;
			}
			$alter->parts[] = $part;
		}
		return $alter;
	}

	/** Whether the other's parts may follow in the same statement, with the same result as after it. */
	public function accepts( self $other ): bool {
		return $this->table === $other->table && $this->fits( $other->parts );
	}

	public function add( self $other ): void {
		array_push( $this->parts, ...$other->parts );
	}

	public function sql(): string {
		return "ALTER TABLE `{$this->table}` " . implode( ', ', array_column( $this->parts, 'text' ) );
	}

	/**
	 * Within one statement the server first takes away, then changes and adds columns,
	 * then adds indexes. So each column or index may be named once, but for an index
	 * that is taken away and then made anew; and no column may go that an earlier part
	 * reads, nor may a part read one that has gone.
	 */
	private function fits( array $parts ): bool {
		$added = array_merge( [], ...array_column( $this->parts, 'adds' ) );
		$taken = array_merge( [], ...array_column( $this->parts, 'takes' ) );
		$read = array_merge( [], ...array_column( $this->parts, 'reads' ) );
		foreach ( $parts as $part ) {
			$again = array_filter( array_intersect( $part->adds, $taken ), static fn ( $name ) => $name[0] !== 'i' );
			if ( $again || array_intersect( $part->adds, $added ) || array_intersect( $part->takes, $added ) ||
				array_intersect( $part->takes, $taken ) || array_intersect( array_merge( $part->adds, $part->takes ), $read ) ||
				array_intersect( $part->reads, array_diff( $taken, $added ) )
			) {
				return false;
			}
			$added = array_merge( $added, $part->adds );
			$taken = array_merge( $taken, $part->takes );
			$read = array_merge( $read, $part->reads );
		}
		return true;
	}

	/** Words, names, texts and signs, each with its text and its place; null where there is more. */
	private static function tokens( string $sql ): ?array {
		// MediaWiki writes who asks behind the first word. Comments that the server executes are none.
		$sql = preg_replace( '~^(\s*\w+)\s*/\*(?![!M])[^*]*\*/~', '$1 ', $sql );
		$found = preg_match_all( '~`[A-Za-z0-9_$]+`|\'[^\'\\\\]*\'|\w+|[(),]|\s+~', $sql, $m );
		if ( !$found || implode( '', $m[0] ) !== $sql ) {
			return null;
		}
		foreach ( $m[0] as $at => $token ) {
			// A text right behind a word or a text is a part of it, such as x'00' and 'it''s'.
			if ( $at > 0 && $token[0] === "'" && preg_match( "~[\\w'`]$~", $m[0][$at - 1] ) ) {
				return null;
			}
		}
		return array_values( array_filter( $m[0], static fn ( $token ) => trim( $token ) !== '' ) );
	}

	private static function word( array $tokens, int $at ): string {
		return strtoupper( $tokens[$at] ?? '' );
	}

	/** A name in small letters and without its quotation marks; null when it is none. */
	private static function name( array $tokens, int $at ): ?string {
		$token = $tokens[$at] ?? '';
		if ( !preg_match( '~^(?:`[^`]+`|[A-Za-z_]\w*)$~', $token ) ) {
			return null;
		}
		return trim( $token, '`' );
	}

	/** The parts of a list whose commas are outside of brackets. */
	private static function split( array $tokens ): array {
		$parts = [ [] ];
		$depth = 0;
		foreach ( $tokens as $token ) {
			$depth += [ '(' => 1, ')' => -1 ][$token] ?? 0;
			if ( $token === ',' && $depth === 0 ) {
				$parts[] = [];
			} else {
				$parts[array_key_last( $parts )][] = $token;
			}
		}
		return $parts;
	}

	private static function part( array $tokens ): ?WikictlPart {
		$part = new WikictlPart( implode( ' ', $tokens ) );
		$rest = array_slice( $tokens, 1 );
		switch ( self::word( $tokens, 0 ) ) {
			case 'ADD':
				return self::adding( $part, $rest );
			case 'DROP':
				return self::dropping( $part, $rest );
			case 'CHANGE':
				return self::changing( $part, $rest, 2 );
			case 'MODIFY':
				return self::changing( $part, $rest, 1 );
		}
		return null;
	}

	private static function adding( WikictlPart $part, array $tokens ): ?WikictlPart {
		$word = self::word( $tokens, 0 );
		if ( in_array( $word, [ 'PRIMARY', 'UNIQUE', 'FULLTEXT', 'INDEX', 'KEY' ] ) ) {
			return self::newIndex( $part, $tokens );
		}
		$tokens = array_slice( $tokens, $word === 'COLUMN' ? 1 : 0 );
		$name = self::name( $tokens, 0 );
		if ( $name === null || !self::isPlain( array_slice( $tokens, 1 ) ) || in_array( self::word( $tokens, 0 ), [ 'FOREIGN', 'SPATIAL', 'PERIOD', 'SYSTEM', 'PARTITION', 'VECTOR', ...self::NOT_PLAIN ] ) ) {
			return null;
		}
		$part->adds = [ self::column( $name ) ];
		return $part;
	}

	/** PRIMARY KEY (…), or [UNIQUE|FULLTEXT] [INDEX|KEY] name (…). */
	private static function newIndex( WikictlPart $part, array $tokens ): ?WikictlPart {
		if ( self::word( $tokens, 0 ) === 'PRIMARY' ) {
			if ( self::word( $tokens, 1 ) !== 'KEY' ) {
				return null;
			}
			$name = 'primary';
			$tokens = array_slice( $tokens, 2 );
		} else {
			$kind = in_array( self::word( $tokens, 0 ), [ 'UNIQUE', 'FULLTEXT' ] ) ? 1 : 0;
			$tokens = array_slice( $tokens, in_array( self::word( $tokens, $kind ), [ 'INDEX', 'KEY' ] ) ? $kind + 1 : $kind );
			$name = self::name( $tokens, 0 );
			$tokens = array_slice( $tokens, 1 );
		}
		$columns = self::columns( $tokens );
		if ( $name === null || $columns === null ) {
			return null;
		}
		$part->adds = [ 'index ' . strtolower( $name ) ];
		$part->reads = $columns;
		return $part;
	}

	/** The columns of (a, b(10)) with nothing behind. */
	private static function columns( array $tokens ): ?array {
		if ( ( $tokens[0] ?? '' ) !== '(' || end( $tokens ) !== ')' ) {
			return null;
		}
		$columns = [];
		foreach ( self::split( array_slice( $tokens, 1, -1 ) ) as $one ) {
			$name = self::name( $one, 0 );
			$length = array_slice( $one, 1 );
			if ( $name === null || $length && !( count( $length ) === 3 && $length[0] === '(' && ctype_digit( $length[1] ) && $length[2] === ')' ) ) {
				return null;
			}
			$columns[] = self::column( $name );
		}
		return $columns;
	}

	private static function dropping( WikictlPart $part, array $tokens ): ?WikictlPart {
		$word = self::word( $tokens, 0 );
		if ( $word === 'PRIMARY' && self::word( $tokens, 1 ) === 'KEY' && count( $tokens ) === 2 ) {
			$part->takes = [ 'index primary' ];
			return $part;
		}
		$kind = in_array( $word, [ 'INDEX', 'KEY' ] ) ? 'index' : 'column';
		$tokens = array_slice( $tokens, in_array( $word, [ 'INDEX', 'KEY', 'COLUMN' ] ) ? 1 : 0 );
		$name = self::name( $tokens, 0 );
		if ( $name === null || count( $tokens ) !== 1 ) {
			return null;
		}
		$part->takes = [ "$kind " . strtolower( $name ) ];
		if ( $part->takes === [ 'index primary' ] ) {
			$part->text = 'DROP PRIMARY KEY';
		}
		return $part;
	}

	/** CHANGE has two names before the definition, MODIFY has one. */
	private static function changing( WikictlPart $part, array $tokens, int $names ): ?WikictlPart {
		$tokens = array_slice( $tokens, self::word( $tokens, 0 ) === 'COLUMN' ? 1 : 0 );
		$old = self::name( $tokens, 0 );
		$new = self::name( $tokens, $names - 1 );
		if ( $old === null || $new === null || !self::isPlain( array_slice( $tokens, $names ) ) || self::word( $tokens, 0 ) === 'IF' ) {
			return null;
		}
		$part->takes = [ self::column( $old ) ];
		$part->adds = [ self::column( $new ) ];
		return $part;
	}

	/** A type, and what may follow it of a column that stands for itself. */
	private static function isPlain( array $definition ): bool {
		$type = array_shift( $definition );
		if ( !$type || !ctype_alpha( $type ) || array_intersect( array_map( 'strtoupper', $definition ), self::NOT_PLAIN ) ) {
			return false;
		}
		// Brackets are those of the type, such as ( 255 ) or ( 'a' , 'b' ); elsewhere they are of an expression.
		$expression = array_search( '(', array_slice( $definition, 1 ), true );
		return $expression === false;
	}

	private static function column( string $name ): string {
		return 'column ' . strtolower( $name );
	}

	/** CREATE [UNIQUE|FULLTEXT] INDEX i ON t (…), or DROP INDEX i ON t, as a part of ALTER TABLE t. */
	private static function index( array $tokens, string $first ): array {
		$on = array_search( 'ON', array_map( 'strtoupper', $tokens ), true );
		if ( !$on || self::name( $tokens, $on - 1 ) === null ) {
			return [ null, null ];
		}
		$before = array_slice( $tokens, 1, $on - 1 );
		$behind = array_slice( $tokens, $on + 2 );
		$create = $first === 'CREATE' ? 'ADD' : 'DROP';
		if ( count( $before ) !== ( in_array( self::word( $before, 0 ), [ 'UNIQUE', 'FULLTEXT' ] ) ? 3 : 2 ) || self::word( $before, count( $before ) - 2 ) !== 'INDEX' ) {
			return [ null, null ];
		}
		return [ self::name( $tokens, $on + 1 ), self::part( [ $create, ...$before, ...$behind ] ) ];
	}
}

}
