<?php
/**
 * What this PHP is, as one JSON document: run by the command line and by php-fpm,
 * to compare the two. It tells no path, no name and no password, and reads no input.
 */
( static function () {
	$settings = [ 'timezone' => date_default_timezone_get() ];
	foreach ( [ 'default_charset', 'precision', 'serialize_precision', 'arg_separator.output', 'pcre.backtrack_limit', 'memory_limit' ] as $name ) {
		$settings[$name] = (string)ini_get( $name );
	}
	$opcache = function_exists( 'opcache_get_status' ) ? @opcache_get_status( false ) : false;
	echo json_encode( [
		'version' => PHP_VERSION,
		'extensions' => get_loaded_extensions(),
		'settings' => $settings,
		'apcu' => function_exists( 'apcu_enabled' ) && apcu_enabled(),
		'opcache' => (bool)ini_get( 'opcache.enable' ) && function_exists( 'opcache_get_status' ),
		'opcache_full' => ( $opcache['cache_full'] ?? false ) || ( $opcache['opcache_statistics']['oom_restarts'] ?? 0 ) > 0,
		'opcache_keys_full' => ( $opcache['opcache_statistics']['hash_restarts'] ?? 0 ) > 0,
	] );
} )();
