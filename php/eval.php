<?php
/**
 * Runs PHP code of an administrator's within the wiki of MW_CONFIG_FILE. The first
 * argument is the folder of the codebase, the second the file that holds the code; the
 * code has the others in $args. Where it returns false, or throws, the script has failed.
 */
[ , $wikictlRoot, $wikictlCode ] = $argv;
$args = array_slice( $argv, 3 );
$argv = $GLOBALS['argv'] = $_SERVER['argv'] = [ $argv[0] ]; // MediaWiki refuses what it does not know
$argc = $GLOBALS['argc'] = $_SERVER['argc'] = 1;

require_once "$wikictlRoot/maintenance/Maintenance.php";

class WikictlEval extends Maintenance {
	public function execute() {
		global $wikictlCode, $args;
		return require $wikictlCode;
	}
}

$maintClass = WikictlEval::class;
require_once RUN_MAINTENANCE_IF_MAIN;
