<?php
/**
 * The connection to the database that a maintenance script gets when it was asked for
 * (WikictlStatements::$asked): it joins statements that change one table, answers from
 * memory what can't have changed, and lets only a few statements that change tables run
 * at once on a server. MediaWiki's code stays as it is.
 *
 * A wiki is frozen and locked while it is upgraded, so that nobody else changes its
 * tables. Nothing overtakes a statement that is kept: whatever goes to the server
 * sends it first, on whichever connection. When it fails the script ends with an error
 * at once, as it was told of success before.
 */
namespace Wikimedia\Rdbms {
	// MediaWiki calls these from here by their short names, so that these come first.
	function mysqli_init() {
		return \WikictlStatements::$asked ? new \WikictlConnection() : \mysqli_init();
	}

	function mysqli_close( $connection ) {
		return $connection->close();
	}
}

namespace {

/** What a job asked for, and what came of it. */
class WikictlStatements {
	/** @var array|null of "join", "remember", "still": bool; "gate": files, of which one is locked for each statement that changes tables */
	public static ?array $asked = null;
	public static array $counts = [ 'altering' => 0, 'sent' => 0, 'gated' => 0, 'remembered' => 0 ];
	/** @var WikictlConnection[] those that keep statements, by object id */
	private static array $keeping = [];
	/** @var WeakMap<WikictlConnection,WikictlMemory> */
	private static WeakMap $memories;
	private static bool $stopped = false;
	private static bool $failed = false;

	public static function begin( ?array $asked ): void {
		self::$asked = $asked;
		self::$memories = new WeakMap();
		if ( $asked ) {
			register_shutdown_function( [ self::class, 'end' ] );
		}
		if ( $asked['messages'] ?? '' ) {
			wikictlMessages( $asked['messages'] );
		}
	}

	/** Send each statement as it comes, from now on. */
	public static function stop(): void {
		self::$stopped = true;
		self::send();
		self::forget();
	}

	/** What comes later, in other shutdown functions, is sent as it comes. */
	public static function end(): void {
		self::stop();
		fwrite( STDERR, "\nwikictl-statements " . json_encode( self::$counts ) . "\n" );
	}

	/** Every connection's memory learns what is sent on any. */
	public static function remember( WikictlConnection $c, WikictlMemory $m ): void {
		self::$memories[$c] = $m;
	}

	public static function learn( string $sql ): void {
		if ( ( self::$asked['still'] ?? false ) && self::changes( $sql ) ) {
			self::changed();
		}
		foreach ( self::$memories as $memory ) {
			$memory->learn( $sql );
		}
	}

	/** Whether a statement may make another answer right than the remembered one. */
	private static function changes( string $sql ): bool {
		$word = strtoupper( strtok( $sql, " \t\r\n" ) ?: '' );
		if ( in_array( $word, [ 'INSERT', 'UPDATE', 'DELETE', 'REPLACE' ] ) ) {
			return stripos( $sql, 'updatelog' ) !== false;
		}
		return !in_array( $word, [ 'SELECT', 'SHOW', 'SET', 'BEGIN', 'START', 'COMMIT', 'SAVEPOINT', 'RELEASE', 'EXPLAIN', 'DESCRIBE' ] );
	}

	/** What the job asks from now on is asked, if it was to be remembered only as long as nothing changes. */
	public static function changed(): void {
		if ( self::$asked['still'] ?? false ) {
			self::$asked['remember'] = self::$asked['still'] = false;
			self::forget();
		}
	}

	public static function forget(): void {
		foreach ( self::$memories as $memory ) {
			$memory->forgetAll();
		}
	}

	public static function may( string $what ): bool {
		return ( self::$asked[$what] ?? false ) && !self::$stopped;
	}

	public static function keep( WikictlConnection $c, string $table ): void {
		self::$keeping[spl_object_id( $c )] = $c;
		foreach ( self::$memories as $memory ) {
			$memory->forget( $table );
		}
	}

	/** Send what every connection keeps. */
	public static function send(): void {
		if ( self::$failed ) {
			exit( 1 );
		}
		$keeping = self::$keeping;
		self::$keeping = [];
		foreach ( $keeping as $connection ) {
			$connection->sendKept();
		}
	}

	/** The script was told that this statement had succeeded. */
	public static function fail( string $sql, string $error ): void {
		self::$failed = true;
		self::$keeping = [];
		fwrite( STDERR, "\nError: $error\nStatement: $sql\n" );
		exit( 1 );
	}

	/** Run what changes tables while one of the gate's files is locked. */
	public static function gated( callable $do ) {
		self::$counts['sent']++;
		$lock = WikictlGate::pass( self::$asked['gate'] ?? [] );
		self::$counts['gated'] += $lock ? 1 : 0;
		try {
			return $do();
		} finally {
			if ( $lock ) {
				fclose( $lock );
			}
		}
	}
}

/**
 * Lets as many through at once as there are files. MariaDB holds one latch over its
 * dictionary for each change of a table, and wakes all who wait for it in vain.
 */
class WikictlGate {
	/**
	 * Seconds to wait, and then to pass without: the gate saves time, and nothing else
	 * depends on it. Large tables may keep it closed for minutes.
	 */
	private const PATIENCE = 2;
	private const WITHOUT = 60;
	private static float $without = 0;

	/** The file that is locked, which closing it ends, as the end of the process does. */
	public static function pass( array $files ) {
		$now = microtime( true );
		$open = $now < self::$without ? [] : array_filter( array_map( static fn ( $file ) => @fopen( $file, 're' ), $files ) );
		$pause = 500; // microseconds
		while ( $open ) {
			foreach ( $open as $file ) {
				if ( flock( $file, LOCK_EX | LOCK_NB ) ) {
					return $file;
				}
			}
			if ( microtime( true ) - $now > self::PATIENCE ) {
				self::$without = microtime( true ) + self::WITHOUT;
				break;
			}
			usleep( $pause );
			$pause = min( 6000, (int)( $pause * 1.5 ) );
		}
		return null;
	}
}

if ( class_exists( 'mysqli', false ) ) {

/** A connection of a job that asked for it. */
class WikictlConnection extends mysqli {
	/** What wikictl sets in its own sessions, but for what MediaWiki sets itself; MySQL skips the comments. */
	private const PLAIN = 'SET SESSION autocommit = 1, completion_type = 0, sql_safe_updates = 0, sql_select_limit = 18446744073709551615' .
		'/*M! , max_statement_time = 0 */' .
		'/*M!100300 , idle_transaction_timeout = 0, idle_readonly_transaction_timeout = 0, idle_write_transaction_timeout = 0 */' .
		'/*M!110402 , innodb_snapshot_isolation = OFF */';

	private WikictlMemory $memory;
	private ?WikictlAlter $kept = null;
	/** @var string[] the statements that $kept is made of */
	private array $originals = [];

	public function __construct() {
		parent::__construct();
		$this->memory = new WikictlMemory();
		WikictlStatements::remember( $this, $this->memory );
	}

	/** No limit of time of the server's configuration ends a script between two statements that belong together. */
	#[ReturnTypeWillChange]
	public function real_connect( ...$to ) {
		$connected = parent::real_connect( ...$to );
		if ( $connected ) {
			parent::query( self::PLAIN );
		}
		return $connected;
	}

	#[ReturnTypeWillChange]
	public function query( $sql, $mode = MYSQLI_STORE_RESULT ) {
		if ( preg_match( '~^\s*(?:ALTER|CREATE|DROP|RENAME|TRUNCATE)\b~i', $sql ) ) {
			return $this->alter( $sql, $mode );
		}
		if ( $mode !== MYSQLI_STORE_RESULT || !WikictlStatements::may( 'remember' ) ) {
			return $this->ask( $sql, $mode );
		}
		$sent = false;
		$answer = $this->memory->answer( $sql, function ( $sql ) use ( &$sent ) {
			$sent = true;
			return $this->ask( $sql, MYSQLI_STORE_RESULT );
		} );
		if ( $answer === null ) {
			return $this->ask( $sql, $mode );
		}
		if ( !$sent ) {
			$this->succeed();
		}
		return $answer;
	}

	private function ask( string $sql, int $mode ) {
		WikictlStatements::send();
		WikictlStatements::learn( $sql );
		$answer = parent::query( $sql, $mode );
		if ( $answer === false ) {
			WikictlStatements::forget();
		}
		return $answer;
	}

	/** What was answered without the server was a success, whatever came before. */
	private function succeed(): void {
		if ( $this->errno ) {
			parent::query( 'DO 0' );
		}
	}

	/** Keep a statement that changes a table, or send it. */
	private function alter( string $sql, int $mode ) {
		WikictlStatements::$counts['altering']++;
		WikictlStatements::changed();
		$alter = WikictlStatements::may( 'join' ) ? WikictlAlter::read( $sql ) : null;
		if ( !$alter ) {
			WikictlStatements::send(); // before the gate is passed, which is for one statement
			return WikictlStatements::gated( fn () => $this->ask( $sql, $mode ) );
		}
		if ( $this->kept && $this->kept->accepts( $alter ) ) {
			$this->kept->add( $alter );
		} else {
			WikictlStatements::send();
			$this->kept = $alter;
		}
		$this->originals[] = $sql;
		WikictlStatements::keep( $this, $alter->table );
		$this->succeed();
		return true;
	}

	/** Send what is kept as one statement. When the server refuses that nothing was changed, and each goes by itself. */
	public function sendKept(): void {
		[ $kept, $originals ] = [ $this->kept, $this->originals ];
		[ $this->kept, $this->originals ] = [ null, [] ];
		if ( count( $originals ) > 1 ) {
			$error = $this->change( $kept->sql() );
			if ( $error === '' ) {
				return;
			}
			if ( in_array( $this->errno, [ 2006, 2013 ] ) ) { // the connection is lost: it may have been done
				WikictlStatements::fail( $kept->sql(), $error );
			}
		}
		foreach ( $originals as $sql ) {
			$error = $this->change( $sql );
			if ( $error !== '' ) {
				WikictlStatements::fail( $sql, $error );
			}
		}
	}

	/** Send one statement; why it failed, or nothing. */
	private function change( string $sql ): string {
		try {
			return WikictlStatements::gated( fn () => parent::query( $sql ) ) ? '' : "{$this->error} ({$this->errno})";
		} catch ( mysqli_sql_exception $e ) {
			return $e->getMessage();
		}
	}

	private function before(): void {
		WikictlStatements::send();
		WikictlStatements::forget();
	}

	#[ReturnTypeWillChange]
	public function real_query( $sql ) {
		$this->before();
		return parent::real_query( $sql );
	}

	#[ReturnTypeWillChange]
	public function multi_query( $sql ) {
		$this->before();
		return parent::multi_query( $sql );
	}

	// What is prepared is sent without this class.

	#[ReturnTypeWillChange]
	public function prepare( $sql ) {
		WikictlStatements::stop();
		return parent::prepare( $sql );
	}

	#[ReturnTypeWillChange]
	public function stmt_init() {
		WikictlStatements::stop();
		return parent::stmt_init();
	}

	#[ReturnTypeWillChange]
	public function execute_query( string $sql, ?array $values = null ): mysqli_result|bool {
		WikictlStatements::stop();
		return parent::execute_query( $sql, $values );
	}

	#[ReturnTypeWillChange]
	public function select_db( $database ) {
		$this->before();
		return parent::select_db( $database );
	}

	#[ReturnTypeWillChange]
	public function change_user( $user, $password, $database ) {
		$this->before();
		return parent::change_user( $user, $password, $database );
	}

	#[ReturnTypeWillChange]
	public function autocommit( $on ) {
		$this->before();
		return parent::autocommit( $on );
	}

	#[ReturnTypeWillChange]
	public function begin_transaction( $flags = 0, $name = null ) {
		$this->before();
		return parent::begin_transaction( $flags, $name );
	}

	#[ReturnTypeWillChange]
	public function commit( $flags = 0, $name = null ) {
		$this->before();
		return parent::commit( $flags, $name );
	}

	#[ReturnTypeWillChange]
	public function rollback( $flags = 0, $name = null ) {
		$this->before();
		return parent::rollback( $flags, $name );
	}

	#[ReturnTypeWillChange]
	public function close() {
		$this->before();
		return parent::close();
	}
}

}
}
