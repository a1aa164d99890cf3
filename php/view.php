<?php
# The settings of a wiki for a request that wikictl itself sends to php-fpm, which names their
# file: no visitor can. It may read all pages, so that a private wiki's pages can be compared.

if ( !defined( 'MEDIAWIKI' ) ) {
	exit;
}
require $_SERVER['WIKICTL_SETTINGS'];
$wgGroupPermissions['*']['read'] = true;
unset( $wgRevokePermissions['*']['read'] );
