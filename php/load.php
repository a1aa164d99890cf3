<?php
/**
 * Loads the settings of the wiki of MW_CONFIG_FILE as every request to it does, and
 * makes what nearly every request makes of them, without its database. The first
 * argument is the folder of the codebase, the second one how many seconds of the
 * processor this may take. A third one, "page", has the wiki answer what it is and show
 * its main page as well, for which it needs the database.
 *
 * What goes wrong is told on standard error in one line of JSON: PHP's message, and
 * the files and lines that led to it, innermost first. A line at the end says that
 * it was all done: settings can end PHP without an error.
 */

function wikictlTell( Throwable $e ): void {
	$frames = [];
	for ( $one = $e; $one; $one = $one->getPrevious() ) {
		$frames[] = [ 'file' => $one->getFile(), 'line' => $one->getLine() ];
		foreach ( $one->getTrace() as $frame ) {
			if ( isset( $frame['file'] ) ) {
				$frames[] = [ 'file' => $frame['file'], 'line' => $frame['line'] ?? 0 ];
			}
		}
	}
	wikictlSay( $e->getMessage(), $frames );
}

function wikictlSay( string $message, array $frames ): void {
	$flags = JSON_INVALID_UTF8_SUBSTITUTE | JSON_UNESCAPED_SLASHES;
	fwrite( STDERR, "\nwikictl-error " . json_encode( [ 'message' => $message, 'frames' => $frames ], $flags ) . "\n" );
	exit( 1 );
}

/** What settings begin with and nothing in them may change: it keeps wikis apart. */
const WIKICTL_OWN = [ 'wgUploadDirectory', 'wgUploadPath', 'wgCacheDirectory', 'wgFileCacheDirectory', 'wgTmpDirectory', 'wgServer', 'wgScriptPath',
	'wgArticlePath', 'wgDBtype', 'wgDBserver', 'wgDBname', 'wgDBprefix', 'wgSecretKey', 'wgCookiePrefix', 'wgSessionName' ];

/** Tell which of these an expression has changed; the value may be a secret. */
function wikictlUnchanged(): void {
	preg_match_all( '/^\$(wg\w+) = (\'(?:[^\'\\\\]|\\\\.)*\');$/m', file_get_contents( getenv( 'MW_CONFIG_FILE' ) ), $lines, PREG_SET_ORDER );
	$begun = [];
	foreach ( $lines as [ , $name, $text ] ) {
		$begun[$name] ??= preg_replace( '/\\\\([\\\\\'])/', '$1', substr( $text, 1, -1 ) );
	}
	foreach ( array_intersect( WIKICTL_OWN, array_keys( $begun ) ) as $name ) {
		if ( $GLOBALS[$name] !== $begun[$name] ) {
			wikictlSay( "an expression changes $$name, which is not for definitions to set", [] );
		}
	}
	$files = $GLOBALS['wgLocalFileRepo']['directory'] ?? null;
	if ( isset( $begun['wgUploadDirectory'] ) && $files !== null && $files !== $begun['wgUploadDirectory'] ) {
		wikictlSay( 'an expression changes the folder of $wgLocalFileRepo, which is not for definitions to set', [] );
	}
}

/** Settings without an end are told from a slow machine by what they take of the processor. */
function wikictlLimit( int $seconds ): void {
	pcntl_async_signals( true );
	pcntl_signal( SIGXCPU, static function () use ( $seconds ) {
		throw new Error( "this took $seconds s of the processor and did not end" );
	} );
	posix_setrlimit( POSIX_RLIMIT_CPU, $seconds, 2 * $seconds ); // the kernel ends what catches it
}

wikictlLimit( (int)$argv[2] );

try {
	require_once $argv[1] . '/maintenance/Maintenance.php';

	class WikictlLoad extends Maintenance {
		public function __construct() {
			parent::__construct();
			$this->addArg( 'root', 'folder of the codebase' );
			$this->addArg( 'seconds', 'of the processor' );
			$this->addArg( 'what', '"page": ask it, too', false );
		}

		public function execute() {
			try {
				$this->load( MediaWiki\MediaWikiServices::getInstance() );
				wikictlUnchanged();
				if ( $this->getArg( 2 ) === 'page' ) {
					$this->page();
				}
				fwrite( STDERR, "\nwikictl-loaded\n" );
			} catch ( Throwable $e ) {
				wikictlTell( $e );
			}
		}

		private function load( MediaWiki\MediaWikiServices $services ): void {
			$config = $services->getMainConfig();
			$cache = method_exists( $services, 'getObjectCacheFactory' )
				? [ $services->getObjectCacheFactory(), 'getInstance' ] : [ 'ObjectCache', 'getInstance' ];
			foreach ( [ 'MainCacheType', 'MessageCacheType', 'ParserCacheType', 'SessionCacheType' ] as $name ) {
				$cache( $config->get( $name ) );
			}
			$services->getMainWANObjectCache();
			$services->getContentLanguage()->getNamespaces();
			$services->getRepoGroup()->getLocalRepo();
			$services->getSkinFactory()->makeSkin( $config->get( 'DefaultSkin' ) );
			$services->getParser()->getTags();
		}

		/** What api.php and index.php do, by somebody who may do everything. */
		private function page(): void {
			$request = class_exists( 'MediaWiki\Request\FauxRequest' ) ? 'MediaWiki\Request\FauxRequest' : 'FauxRequest';
			$title = Title::newMainPage();
			$context = RequestContext::getMain();
			$context->setRequest( new $request( [ 'action' => 'query', 'meta' => 'siteinfo' ] ) );
			$context->setAuthority( new MediaWiki\Permissions\UltimateAuthority( MediaWiki\User\UserIdentityValue::newAnonymous( '127.0.0.1' ) ) );
			( new ApiMain( $context ) )->execute();
			$context->setRequest( new $request( [ 'title' => $title->getPrefixedDBkey() ] ) );
			$context->setTitle( $title );
			if ( !$title->isSpecialPage() ) {
				Article::newFromTitle( $title, $context )->view();
			}
			$context->getOutput()->output( true );
		}
	}

	$maintClass = WikictlLoad::class;
	require_once RUN_MAINTENANCE_IF_MAIN;
} catch ( Throwable $e ) {
	wikictlTell( $e );
}
