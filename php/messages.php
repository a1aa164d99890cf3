<?php
/**
 * Gives the updater MediaWiki's messages from the files that hold them for readers. The
 * updater itself has no store for them (LCStoreNull): to write how long it took it reads
 * and decodes all sources of the English ones, a seventh of its time for a small wiki.
 */
namespace {

/** Read messages from this folder, and from their sources what it lacks or has from older ones. */
function wikictlMessages( string $folder ): void {
	spl_autoload_register( static function ( string $name ) use ( $folder ) {
		if ( $name === 'LCStoreNull' && class_exists( 'LCStoreStaticArray' ) ) {
			wikictlMessageStore( $folder );
		}
	}, true, true );
}

/** Declare the class before MediaWiki's autoloader does. What is written to it is lost, as it is to MediaWiki's own. */
function wikictlMessageStore( string $from ): void {
	class LCStoreNull extends LCStoreStaticArray {
		public static string $from = '';

		public function __construct( $conf = [] ) {
			parent::__construct( [ 'directory' => self::$from ] );
		}

		public function startWrite( $code ) {
		}

		public function finishWrite() {
		}

		public function set( $key, $value ) {
		}
	}
	LCStoreNull::$from = $from;
}

}
