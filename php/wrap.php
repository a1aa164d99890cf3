<?php
/**
 * Prepares a job by a MediaWiki before 1.38: it takes the file of its settings from a
 * constant, and calls PHP in ways that newer PHP warns of. The environment is set.
 */
function wikictlWrap( array $job ): void {
	wikictlLast( $job['log'] );
	$first = base64_decode( $job['args'][0] ?? '' ); // scripts of wikictl's own are told the codebase so
	foreach ( [ getenv( 'MW_INSTALL_PATH' ), dirname( $job['script'], 2 ), $first ] as $root ) {
		if ( !$root || $root[0] !== '/' || !is_file( "$root/includes/Defines.php" ) ) {
			continue;
		}
		$reads = @file_get_contents( "$root/includes/BootstrapHelperFunctions.php" );
		if ( !$reads || strpos( $reads, "getenv( 'MW_CONFIG_FILE' )" ) === false ) {
			error_reporting( error_reporting() & ~E_DEPRECATED );
			if ( $job['config'] !== '' ) {
				define( 'MW_CONFIG_FILE', $job['config'] );
			}
		}
		return;
	}
}

/** Print the error that ended PHP if settings have PHP hide it (display_errors). */
function wikictlLast( string $log ): void {
	$before = (int)@filesize( $log );
	$tell = static function () use ( $log, $before ) {
		$last = error_get_last();
		$fatal = E_ERROR | E_PARSE | E_CORE_ERROR | E_COMPILE_ERROR | E_USER_ERROR | E_RECOVERABLE_ERROR;
		if ( !$last || !( $last['type'] & $fatal ) ) {
			return;
		}
		clearstatcache();
		$printed = (string)@file_get_contents( $log, false, null, max( $before, (int)@filesize( $log ) - 65536 ) );
		if ( strpos( $printed, strtok( $last['message'], "\n" ) ) === false ) {
			@file_put_contents( 'php://stderr', "PHP Fatal error:  {$last['message']} in {$last['file']} on line {$last['line']}\n" );
		}
	};
	register_shutdown_function( 'register_shutdown_function', $tell ); // after MediaWiki's own
}
