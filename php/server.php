<?php
/**
 * The fork server: one PHP process that runs many maintenance scripts, each in
 * a child of its own, so that PHP is started and compiled code is kept once.
 *
 * Jobs come as lines of JSON on standard input and reports leave as lines of
 * JSON on standard output, after a first line that says whether this PHP can fork.
 * A job's arguments may hold passwords; they are in memory only. When the input ends
 * (whoever wrote the jobs is gone) all children are killed; when this process is killed
 * the kernel kills them.
 *
 * The first job of each script tells which of MediaWiki's classes it came to use.
 * They are loaded here then, so that later children begin with them. A child
 * tries it first: what can't be loaded outside of a wiki would end this process.
 */

if ( !function_exists( 'pcntl_fork' ) || !function_exists( 'posix_setrlimit' ) || !class_exists( 'FFI' ) ) {
	fwrite( STDOUT, "can't fork\n" );
	exit( 0 );
}

// PHP has no dup2() and no prctl() of its own.
$wikictlC = FFI::cdef( 'int dup2(int, int); int prctl(int, unsigned long); int open(const char *, int, int); int memfd_create(const char *, unsigned); int close(int); int madvise(unsigned long, unsigned long, int);' );
$wikictlRunning = [];
$wikictlJob = null;
$wikictlClasses = new WikictlClasses( $wikictlC );
$wikictlCode = wikictlCode();

pcntl_async_signals( true );
pcntl_signal( SIGCHLD, static function () {
} );
stream_set_blocking( STDIN, false );
stream_set_read_buffer( STDIN, 0 ); // children would find in it what was sent for others
$wikictlInput = ''; // what was read and not begun
fwrite( STDOUT, "forks\n" );

function wikictlReport( array $report ): void {
	fwrite( STDOUT, json_encode( $report, JSON_INVALID_UTF8_SUBSTITUTE ) . "\n" );
}

/** What pcntl_fork() said of a fork that failed; PHP's own warning is left out. */
function wikictlWhyNoFork(): string {
	return 'fork: ' . pcntl_strerror( pcntl_get_last_error() );
}

/**
 * The only place that signals. To kill(2) 0 and -1, which is what a failed fork returns,
 * are many processes, and 1 is the one that starts all others: none is signalled.
 */
function wikictlKill( int $pid, bool $group = false ): void {
	if ( $pid > 1 ) {
		posix_kill( $group ? -$pid : $pid, SIGKILL );
	}
}

/** The address of the memory in which opcache keeps compiled code for all children; 0 when there is none. */
function wikictlCode(): int {
	$on = function_exists( 'opcache_get_status' ) && opcache_get_status( false );
	foreach ( $on ? file( '/proc/self/maps' ) : [] as $line ) {
		if ( preg_match( '~^([0-9a-f]+)-\S+ rw-s .*/dev/zero~', $line, $found ) ) {
			return hexdec( $found[1] );
		}
	}
	return 0;
}

/** Where a trial child ends when all classes were loaded and nothing was printed. */
const WIKICTL_TRIED = 42;

/** What the server knows of MediaWiki's classes. */
class WikictlClasses {
	private array $scripts = []; // that told their classes, or are about to: path => true
	private array $telling = []; // pid => [ root of the codebase, file in memory that gets the names ]
	private array $trial = []; // [ pid, root, names, file in memory that gets a byte for each loaded ]
	private int $failures = 0;

	public function __construct( private FFI $c ) {
	}

	/** The file in memory for the names that a job's child shall tell; null when they are known. */
	public function ask( string $script ): ?int {
		// A script of an extension stands in no codebase's folder maintenance.
		$known = isset( $this->scripts[$script] ) || !is_file( dirname( $script, 2 ) . '/includes/AutoLoader.php' );
		if ( $known || $this->trial || $this->failures > 20 ) {
			return null;
		}
		$this->scripts[$script] = true;
		return $this->c->memfd_create( 'classes', 0 );
	}

	public function asked( int $pid, string $script, int $file ): void {
		$this->telling[$pid] = [ dirname( $script, 2 ), $file ];
	}

	/** There is no child to tell them: a later one shall. */
	public function unasked( string $script, int $file ): void {
		unset( $this->scripts[$script] );
		$this->c->close( $file );
	}

	/** Have this child write the names of the classes that it has when it ends. */
	public static function tell( string $script, int $file ): void {
		register_shutdown_function( static function () use ( $script, $file ) {
			$root = dirname( $script, 2 );
			$names = [];
			foreach ( array_merge( get_declared_interfaces(), get_declared_traits(), get_declared_classes() ) as $name ) {
				$from = (string)( new ReflectionClass( $name ) )->getFileName();
				// Extensions are a wiki's own, and maintenance scripts run when they are read.
				// What wikictlMessages() declares anew must be unknown.
				if ( $name !== 'LCStoreNull' && ( str_starts_with( $from, "$root/includes/" ) || str_starts_with( $from, "$root/vendor/" ) ) ) {
					$names[] = $name;
				}
			}
			file_put_contents( "php://fd/$file", implode( "\n", $names ) );
		} );
	}

	/** A child has ended: use what it told, or what it tried. True when it was no job. */
	public function ended( int $pid, int $status ): bool {
		if ( isset( $this->telling[$pid] ) ) {
			[ $root, $file ] = $this->telling[$pid];
			unset( $this->telling[$pid] );
			$names = array_filter( explode( "\n", $this->take( $file ) ) );
			if ( $status === 0 && $names && !$this->trial ) {
				$this->try( $root, array_values( $names ) );
			}
			return false;
		}
		if ( !$this->trial || $this->trial[0] !== $pid ) {
			return false;
		}
		[ , $root, $names, $file ] = $this->trial;
		$this->trial = [];
		$loaded = strlen( $this->take( $file ) );
		if ( pcntl_wifexited( $status ) && pcntl_wexitstatus( $status ) === WIKICTL_TRIED ) {
			self::load( $root, $names );
		} elseif ( ++$this->failures <= 20 ) {
			array_splice( $names, $loaded, 1 ); // it died of this one
			$this->try( $root, $names );
		}
		return true;
	}

	private function try( string $root, array $names ): void {
		$file = $this->c->memfd_create( 'loaded', 0 );
		$pid = @pcntl_fork();
		if ( $pid < 0 ) {
			$this->c->close( $file ); // later children load what they need themselves
			return;
		}
		if ( $pid === 0 ) {
			$this->c->prctl( 1, SIGKILL ); // PR_SET_PDEATHSIG
			$null = $this->c->open( '/dev/null', 02, 0 ); // O_RDWR; standard output is for reports
			foreach ( [ 0, 1, 2 ] as $fd ) {
				$this->c->dup2( $null, $fd );
			}
			ob_start();
			self::load( $root, $names, fopen( "php://fd/$file", 'w' ) );
			exit( ob_get_length() === 0 ? WIKICTL_TRIED : 1 );
		}
		$this->trial = [ $pid, $root, $names, $file ];
	}

	/** Load classes by MediaWiki's own autoloader; $progress gets a byte for each. */
	private static function load( string $root, array $names, $progress = null ): void {
		$level = error_reporting( 0 );
		require_once "$root/includes/AutoLoader.php";
		foreach ( $names as $name ) {
			class_exists( $name ) || interface_exists( $name ) || trait_exists( $name );
			if ( $progress ) {
				fwrite( $progress, '.' );
			}
		}
		self::compilePatterns();
		error_reporting( $level );
	}

	/**
	 * Have PHP compile the regular expressions by which MediaWiki compares the versions that an
	 * extension or skin requires: children keep them.
	 */
	private static function compilePatterns(): void {
		if ( !class_exists( Composer\Semver\VersionParser::class, false ) ) {
			return;
		}
		try {
			( new Composer\Semver\VersionParser )->parseConstraints( '>= 1.43.0' );
		} catch ( Throwable ) {
			// Children compile what they need.
		}
	}

	/** Read a file in memory to its end and let go of it. */
	private function take( int $file ): string {
		$stream = fopen( "php://fd/$file", 'r' ); // PHP itself resolves /proc/self/fd, to a name that is gone
		rewind( $stream );
		$text = (string)stream_get_contents( $stream );
		fclose( $stream );
		$this->c->close( $file );
		return $text;
	}

	/** End the trial with this process. */
	public function close(): void {
		if ( $this->trial ) {
			wikictlKill( $this->trial[0] );
		}
	}
}

/** Report every child that has ended. */
function wikictlReap( array &$running, WikictlClasses $classes ): void {
	while ( ( $pid = pcntl_waitpid( -1, $status, WNOHANG, $usage ) ) > 0 ) {
		if ( $classes->ended( $pid, $status ) ) {
			continue;
		}
		wikictlReport( [
			'id' => $running[$pid] ?? 0,
			'ended' => true,
			'exit' => pcntl_wifexited( $status ) ? pcntl_wexitstatus( $status ) : -1,
			'signal' => pcntl_wifsignaled( $status ) ? pcntl_wtermsig( $status ) : 0,
			'cpu' => $usage['ru_utime.tv_sec'] + $usage['ru_stime.tv_sec']
				+ ( $usage['ru_utime.tv_usec'] + $usage['ru_stime.tv_usec'] ) / 1e6,
		] );
		unset( $running[$pid] );
	}
}

/** Make this child the process of one job, as a shell would have started it. */
function wikictlBecome( array $job, FFI $c, int $code ): void {
	$c->prctl( 1, SIGKILL ); // PR_SET_PDEATHSIG
	if ( $code ) {
		// In one call, by MADV_POPULATE_READ (madvise(2), Linux 5.14): the kernel would
		// map this memory again piece by piece, each time that the child comes upon it.
		$c->madvise( $code, opcache_get_status( false )['memory_usage']['used_memory'], 22 );
	}
	posix_setpgid( 0, 0 );
	posix_setrlimit( POSIX_RLIMIT_FSIZE, $job['bytes'], $job['bytes'] );
	if ( $job['memory'] > 0 ) {
		// Scripts may raise PHP's own limit, and libraries don't know it. The sixth
		// number of proc(5), statm, is what this limit counts, in pages.
		$most = 4096 * (int)explode( ' ', file_get_contents( '/proc/self/statm' ) )[5] + $job['memory'];
		posix_setrlimit( POSIX_RLIMIT_DATA, $most, $most );
	}
	$input = $c->open( $job['input'] ?? '/dev/null', 0, 0 ); // O_RDONLY
	$log = $c->open( $job['log'], 02001, 0 ); // O_WRONLY, O_APPEND
	if ( $log < 0 ) { // standard output is still that of reports
		@fopen( $job['log'], 'a' );
		wikictlReport( [ 'id' => $job['id'], 'ended' => true, 'exit' => -1, 'why' => "open its log: " . ( error_get_last()['message'] ?? 'no reason' ) ] );
		exit( 1 );
	}
	if ( $input < 0 ) {
		wikictlReport( [ 'id' => $job['id'], 'ended' => true, 'exit' => -1, 'why' => "open its input {$job['input']}" ] );
		exit( 1 );
	}
	$c->dup2( $input, 0 );
	stream_set_blocking( STDIN, true );
	stream_set_read_buffer( STDIN, 8192 );
	$c->dup2( $log, 1 );
	$c->dup2( $log, 2 );
	pcntl_async_signals( false );
	pcntl_signal( SIGCHLD, SIG_DFL );
	mt_srand( random_int( 0, PHP_INT_MAX ) ); // or all children draw the same
	putenv( 'MW_CONFIG_FILE=' . $job['config'] );
	$_ENV['MW_CONFIG_FILE'] = $job['config'];
	foreach ( $job['env'] ?? [] as $name => $value ) {
		putenv( "$name=$value" );
	}
	wikictlWrap( $job );
	( $job['dir'] !== '' && @chdir( $job['dir'] ) ) || chdir( dirname( $job['script'] ) );
}

/**
 * How a child ends whose script returned, which is success: at once. All that PHP
 * would still do is to give back memory piece by piece, and as that memory is
 * shared with this server each page would be copied first, a quarter of a child's
 * time. Of what else PHP does at the end shutdown functions have run, and the
 * destructors run and output is written here.
 */
class WikictlEnd {
	private static ?FFI $c = null;

	/** Look for PHP's own functions; without them a child ends as any PHP does. */
	public static function prepare(): void {
		try {
			self::$c = FFI::cdef( 'void zend_call_destructors(void); void php_output_end_all(void); void _exit(int);' );
		} catch ( FFI\Exception ) {
		}
	}

	public static function returned(): void {
		if ( self::$c ) {
			// Twice, to come after what shutdown functions register.
			register_shutdown_function( 'register_shutdown_function', [ self::class, 'now' ] );
		}
	}

	public static function now(): void {
		$before = error_get_last();
		self::$c->zend_call_destructors();
		self::$c->php_output_end_all();
		if ( error_get_last() === $before ) {
			self::$c->_exit( 0 );
		}
	}
}
WikictlEnd::prepare();

while ( true ) {
	wikictlReap( $wikictlRunning, $wikictlClasses );
	if ( !str_contains( $wikictlInput, "\n" ) ) {
		$wikictlRead = [ STDIN ];
		$wikictlNone = null;
		// The signal of a child that ended interrupts this; the second is for one
		// that ended just before.
		if ( @stream_select( $wikictlRead, $wikictlNone, $wikictlNone, 1 ) < 1 ) {
			continue;
		}
		$wikictlInput .= fread( STDIN, 65536 ); // a long request comes in pieces
		if ( feof( STDIN ) ) {
			break;
		}
		continue;
	}
	[ $wikictlLine, $wikictlInput ] = explode( "\n", $wikictlInput, 2 );
	$wikictlJob = json_decode( $wikictlLine, true );
	$wikictlFile = $wikictlClasses->ask( $wikictlJob['script'] );
	$wikictlPid = @pcntl_fork();
	if ( $wikictlPid === 0 ) {
		break;
	}
	if ( $wikictlPid < 0 ) {
		wikictlReport( [ 'id' => $wikictlJob['id'], 'ended' => true, 'exit' => -1, 'why' => wikictlWhyNoFork() ] );
		if ( $wikictlFile !== null ) {
			$wikictlClasses->unasked( $wikictlJob['script'], $wikictlFile );
		}
		$wikictlJob = null;
		continue;
	}
	if ( $wikictlFile !== null ) {
		$wikictlClasses->asked( $wikictlPid, $wikictlJob['script'], $wikictlFile );
	}
	$wikictlRunning[$wikictlPid] = $wikictlJob['id'];
	wikictlReport( [ 'id' => $wikictlJob['id'], 'pid' => $wikictlPid ] );
	$wikictlJob = null;
}
if ( $wikictlJob === null ) {
	foreach ( array_keys( $wikictlRunning ) as $wikictlPid ) {
		wikictlKill( $wikictlPid, true );
		wikictlKill( $wikictlPid );
	}
	$wikictlClasses->close();
	exit( 0 );
}

// MediaWiki's scripts run only when they are included from the top level.
wikictlBecome( $wikictlJob, $wikictlC, $wikictlCode );
if ( $wikictlFile !== null ) {
	WikictlClasses::tell( $wikictlJob['script'], $wikictlFile );
}
$argv = array_merge( [ $wikictlJob['script'] ], array_map( 'base64_decode', $wikictlJob['args'] ) );
$argc = count( $argv );
$_SERVER['argv'] = $GLOBALS['argv'] = $argv;
$_SERVER['argc'] = $GLOBALS['argc'] = $argc;
$_SERVER['SCRIPT_NAME'] = $_SERVER['SCRIPT_FILENAME'] = $_SERVER['PHP_SELF'] = $_SERVER['PATH_TRANSLATED'] = $argv[0];
WikictlStatements::begin( $wikictlJob['statements'] ?? null );
unset( $wikictlC, $wikictlRunning, $wikictlInput, $wikictlRead, $wikictlNone, $wikictlLine, $wikictlPid, $wikictlJob, $wikictlFile, $wikictlClasses, $wikictlCode );
require $argv[0];
WikictlEnd::returned();
