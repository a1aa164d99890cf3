<?php
# btrfs Wiki: the settings of the wiki "btrfs".
#
# wikictl wrote this file from
#   wikictl.toml
#   classes/kernel.toml
#   tenants/btrfs.toml
# What is changed here is lost. Change those files instead, look at the
# difference with `wikictl render --diff` and apply it with `wikictl render --write`.

# Nothing to see for whoever asks for this file itself.
if ( !defined( 'MEDIAWIKI' ) ) {
	exit;
}

## Requests: wikictl waits for those that began before it closes this wiki to editors or readers
if ( PHP_SAPI !== 'cli' ) {
	# A request is read-only from its beginning to its end, or not at all: what MediaWiki refuses in the
	# middle is an error. The file may appear while the request takes its lock. Maintenance scripts
	# don't test for it, as update.php writes.
	$wikictlIsReadOnly = static fn () => is_file( '/srv/farm/wikis/btrfs/read-only' );
	do {
		$wikictlReadOnly = $wikictlIsReadOnly();
		# PHP releases the lock when the request has ended; programs that it starts don't inherit it.
		$GLOBALS['wikictlRequest'] = @fopen( $wikictlReadOnly ? '/srv/farm/wikis/btrfs/requests-read-only' : '/srv/farm/wikis/btrfs/requests', 're' );
		if ( $GLOBALS['wikictlRequest'] ) {
			flock( $GLOBALS['wikictlRequest'], LOCK_SH );
		}
	} while ( !$wikictlReadOnly && $wikictlIsReadOnly() );
	if ( $wikictlReadOnly ) {
		$wgReadOnly = @file_get_contents( '/srv/farm/wikis/btrfs/read-only' ) ?: 'This wiki is being changed.';
	}
	# Ends the request with a page that says why, and after how many seconds to ask again.
	$wikictlUnavailable = static function ( string $page, int $seconds ) {
		http_response_code( 503 );
		header( "Retry-After: $seconds" );
		header( 'Cache-Control: no-store' );
		echo $page;
		exit;
	};
	# While the tables are not complete, no page can be. The web server tests for the same file, but
	# not again when a request waited for php-fpm.
	foreach ( [ '/srv/farm/wikis/btrfs/maintenance' ] as $wikictlPage ) {
		if ( is_file( $wikictlPage ) ) {
			$wikictlUnavailable( (string)@file_get_contents( $wikictlPage ), 60 );
		}
	}
	# The web server chose this release when the request came. If the wiki has other code by now, these
	# settings' code does not fit its database any more.
	$wikictlCode = @readlink( '/srv/farm/wikis/btrfs/current' . '/core' );
	if ( $wikictlCode !== false && $wikictlCode !== @readlink( __DIR__ . '/core' ) ) {
		$wikictlUnavailable( '<!DOCTYPE html><meta charset="utf-8"><p>This wiki is on another release of MediaWiki now. Please load the page again.</p>', 1 );
	}
	unset( $wikictlIsReadOnly, $wikictlReadOnly, $wikictlUnavailable, $wikictlPage, $wikictlCode );
}

## Name and language
$wgSitename = 'btrfs Wiki';
$wgLanguageCode = 'en';

## Address: of the wiki, of index.php and its like, and of pages
$wgServer = 'https://btrfs.wiki.example.org';
$wgScriptPath = '';
$wgArticlePath = '/wiki/$1';
$wgUsePathInfo = true;

## Files of this wiki alone
$wgUploadDirectory = '/srv/farm/wikis/btrfs/images';
$wgUploadPath = '/images';
$wgCacheDirectory = '/srv/farm/wikis/btrfs/cache';
# Pages of $wgUseFileCache: by default they are among the uploads, which the web server sends.
$wgFileCacheDirectory = '/srv/farm/wikis/btrfs/cache/pages';

# Files of a moment, of all wikis: identifiers are unique on this machine only if its
# wikis draw them from one place.
$wgTmpDirectory = '/srv/farm/tmp';

## Database: an account that can't change the schema. update.php is given another.
$wgDBtype = 'mysql';
$wgDBserver = 'localhost:/srv/farm/run/main.sock';
$wgDBname = 'wiki_btrfs';
$wgDBuser = 'wiki_btrfs';
$wgDBpassword = 'web-password';
$wgDBprefix = '';
$wgDBTableOptions = 'ENGINE=InnoDB, DEFAULT CHARSET=binary';

## Keys
$wgSecretKey = 'secret-key';
$wgUpgradeKey = 'upgrade-key';
# Changing this logs everybody out.
$wgAuthenticationTokenVersion = '1';

## Caches and sessions: nothing is shared with the other wikis of this farm
$wgCachePrefix = 'wiki_btrfs';
# Since the database was made or put back from a dump, what was cached of an earlier one must
# not be found any more. The prefix is another; but keys of users, revisions and texts begin
# with the name of the database in its place: in a cache for all servers they are too old, and
# in this server's they are deleted by the first request.
if ( is_readable( '/srv/farm/wikis/btrfs/cache-epoch' ) ) {
	$wgCachePrefix .= '-' . file_get_contents( '/srv/farm/wikis/btrfs/cache-epoch' );
	$wgWANObjectCache['epoch'] = filemtime( '/srv/farm/wikis/btrfs/cache-epoch' ) + 1;
	$wgHooks['MediaWikiServices'][] = static function () { # MediaWiki before 1.40
		global $wgMainWANCache, $wgWANObjectCaches, $wgWANObjectCache;
		if ( isset( $wgWANObjectCaches[$wgMainWANCache] ) ) {
			$wgWANObjectCaches[$wgMainWANCache]['epoch'] = $wgWANObjectCache['epoch'];
		}
	};
	if ( function_exists( 'apcu_enabled' ) && apcu_enabled() && apcu_fetch( 'wikictl-epoch wiki_btrfs' ) !== $wgCachePrefix ) {
		apcu_delete( new APCUIterator( '/(^|[:|])wiki_btrfs([:|-]|$)/' ) );
		apcu_store( 'wikictl-epoch wiki_btrfs', $wgCachePrefix );
	}
}
# While this wiki gets another name, its former folder is a link. PHP must not remember it as one:
# the wiki may get its former name again within realpath_cache_ttl.
register_shutdown_function( static function () {
	if ( is_link( '/srv/farm/wikis/btrfs' ) ) {
		clearstatcache( true );
	}
} );
$wgCookiePrefix = 'wiki_btrfs';
$wgSessionName = 'wiki_btrfs_session';
$wgCookieSecure = true;
$wgMainCacheType = CACHE_ACCEL;
$wgSessionCacheType = CACHE_DB;

# Messages are the same for every wiki that runs the same code.
$wgLocalisationCacheConf['store'] = 'array';
$wgLocalisationCacheConf['storeDirectory'] = '/srv/farm/l10n/COMPONENTS';
$wgLocalisationCacheConf['manualRecache'] = false;

## Programs
$wgShellLocale = 'C.UTF-8';
$wgPhpCli = 'PHP';

## Skins
wfLoadSkin( 'Vector' );
$wgDefaultSkin = 'vector-2022';

## Extensions
wfLoadExtension( 'ParserFunctions' );
wfLoadExtension( 'Cite' );

## Rights and groups
$wgGroupPermissions['*']['createaccount'] = false;
$wgGroupPermissions['*']['edit'] = false;
$wgGroupPermissions['sysop'] = [];

## Uploads and images
$wgEnableUploads = true;
$wgFileExtensions = [ 'png', 'jpg', 'svg' ];
$wgMaxUploadSize = 20971520;

## E-mail
$wgSMTP = [
	'auth' => false,
	'host' => 'mail.example.org',
	'port' => 25,
];
$wgUserEmailConfirmationTokenExpiry = 7 * 24 * 3600;

## Namespaces
$wgExtraNamespaces[3000] = 'Snapshot';
$wgExtraNamespaces[3001] = 'Snapshot_talk';
$wgNamespacesWithSubpages[0] = true;

## Look
$wgLocaltimezone = 'Europe/Vienna';
$wgLogos = [
	'1x' => '/resources/assets/wiki.png',
];

## Settings of extensions
$egSomething = 1.5;

# What browsers and $wgUseFileCache keep of pages is too old if it is from before the database was made
# or put back, or from before the link to the current release changed: MediaWiki itself goes by the time
# when these settings were written, and the wiki was served by others until the link changed.
if ( is_readable( '/srv/farm/wikis/btrfs/cache-epoch' ) ) {
	$wgCacheEpoch = max( $wgCacheEpoch, gmdate( 'YmdHis', filemtime( '/srv/farm/wikis/btrfs/cache-epoch' ) + 1 ) );
}
if ( is_link( '/srv/farm/wikis/btrfs/current' ) ) {
	$wgCacheEpoch = max( $wgCacheEpoch, gmdate( 'YmdHis', lstat( '/srv/farm/wikis/btrfs/current' )['mtime'] + 1 ) );
}
