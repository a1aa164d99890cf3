<?php
/**
 * Prepares a job by a MediaWiki before 1.38: it takes the file of its settings from a
 * constant, and calls PHP in ways that newer PHP warns of. The environment is set.
 */
function wikictlWrap( array $job ): void {
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
