<?php
/**
 * The fork server: one PHP process that runs many maintenance scripts, each in
 * a child of its own, so that PHP is started and compiled code is kept once.
 *
 * Jobs come as lines of JSON on standard input and reports leave as lines of
 * JSON on standard output. A job's arguments may hold passwords; they are in
 * memory only. When the input ends (whoever wrote the jobs is gone) all children
 * are killed; when this process is killed the kernel kills them.
 */

// PHP has no dup2() and no prctl() of its own.
$wikictlC = FFI::cdef( 'int dup2(int, int); int prctl(int, unsigned long); int open(const char *, int, int);' );
$wikictlRunning = [];
$wikictlJob = null;

pcntl_async_signals( true );
pcntl_signal( SIGCHLD, static function () {
} );
stream_set_blocking( STDIN, false );

function wikictlReport( array $report ): void {
	fwrite( STDOUT, json_encode( $report, JSON_INVALID_UTF8_SUBSTITUTE ) . "\n" );
}

/** Report every child that has ended. */
function wikictlReap( array &$running ): void {
	while ( ( $pid = pcntl_waitpid( -1, $status, WNOHANG, $usage ) ) > 0 ) {
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
function wikictlBecome( array $job, FFI $c ): void {
	$c->prctl( 1, SIGKILL ); // PR_SET_PDEATHSIG
	posix_setpgid( 0, 0 );
	posix_setrlimit( POSIX_RLIMIT_FSIZE, $job['output'], $job['output'] );
	$null = $c->open( '/dev/null', 0, 0 ); // O_RDONLY
	$log = $c->open( $job['log'], 02001, 0 ); // O_WRONLY, O_APPEND
	$c->dup2( $null, 0 );
	$c->dup2( $log, 1 );
	$c->dup2( $log, 2 );
	pcntl_async_signals( false );
	pcntl_signal( SIGCHLD, SIG_DFL );
	mt_srand( random_int( 0, PHP_INT_MAX ) ); // or all children draw the same
	putenv( 'MW_CONFIG_FILE=' . $job['config'] );
	$_ENV['MW_CONFIG_FILE'] = $job['config'];
	chdir( dirname( $job['script'] ) );
}

while ( true ) {
	wikictlReap( $wikictlRunning );
	$wikictlRead = [ STDIN ];
	$wikictlNone = null;
	// The signal of a child that ended interrupts this; the second is for one
	// that ended just before.
	if ( @stream_select( $wikictlRead, $wikictlNone, $wikictlNone, 1 ) < 1 ) {
		continue;
	}
	$wikictlLine = fgets( STDIN );
	if ( $wikictlLine === false ) {
		if ( feof( STDIN ) ) {
			break;
		}
		continue;
	}
	$wikictlJob = json_decode( $wikictlLine, true );
	$wikictlPid = pcntl_fork();
	if ( $wikictlPid === 0 ) {
		break;
	}
	$wikictlRunning[$wikictlPid] = $wikictlJob['id'];
	wikictlReport( [ 'id' => $wikictlJob['id'], 'pid' => $wikictlPid ] );
	$wikictlJob = null;
}
if ( $wikictlJob === null ) {
	foreach ( array_keys( $wikictlRunning ) as $wikictlPid ) {
		posix_kill( -$wikictlPid, SIGKILL );
		posix_kill( $wikictlPid, SIGKILL );
	}
	exit( 0 );
}

// MediaWiki's scripts run only when they are included from the top level.
wikictlBecome( $wikictlJob, $wikictlC );
$argv = array_merge( [ $wikictlJob['script'] ], $wikictlJob['args'] );
$argc = count( $argv );
$_SERVER['argv'] = $GLOBALS['argv'] = $argv;
$_SERVER['argc'] = $GLOBALS['argc'] = $argc;
$_SERVER['SCRIPT_NAME'] = $_SERVER['SCRIPT_FILENAME'] = $_SERVER['PHP_SELF'] = $_SERVER['PATH_TRANSLATED'] = $argv[0];
unset( $wikictlC, $wikictlRunning, $wikictlRead, $wikictlNone, $wikictlLine, $wikictlPid, $wikictlJob );
require $argv[0];
