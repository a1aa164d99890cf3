<?php
/**
 * A wiki's settings with the account that may change its schema, for scripts that write
 * while the wiki's own account may not. The rest comes from the wiki's own file.
 */
require getenv( 'WIKICTL_SETTINGS' );
$wgDBuser = $wgDBadminuser = getenv( 'WIKICTL_DB_USER' );
$wgDBpassword = $wgDBadminpassword = getenv( 'WIKICTL_DB_PASSWORD' );
putenv( 'WIKICTL_DB_PASSWORD' );
