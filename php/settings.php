<?php
/**
 * What a MediaWiki tree says of its settings, as one JSON document on standard
 * output: those of core (includes/config-schema.php), those that extensions and
 * skins declare (extension.json and skin.json, manifest versions 1 and 2), and
 * every further variable that their code names. It runs none of the tree's code
 * but the generated schema. The tree's folder comes on standard input, and after it, each after
 * a NUL, the name and the manifest of each extension and skin that is outside of it.
 */

/** A type of MediaWiki's schema as a list of JSON Schema types. */
function wikictlTypes( $type ): array {
	return array_values( array_filter( (array)$type, 'is_string' ) );
}

/** The parts of a nested schema that a value can be checked against. */
function wikictlSchema( array $schema ): array {
	$out = [ 'types' => wikictlTypes( $schema['type'] ?? [] ) ];
	foreach ( [ 'deprecated', 'obsolete' ] as $key ) {
		if ( isset( $schema[$key] ) ) {
			$out[$key] = is_string( $schema[$key] ) ? $schema[$key] : 'it is ' . $key;
		}
	}
	if ( isset( $schema['enum'] ) && is_array( $schema['enum'] ) ) {
		$out['enum'] = array_values( $schema['enum'] );
	}
	foreach ( [ 'items', 'additionalProperties' ] as $key ) {
		if ( isset( $schema[$key] ) && is_array( $schema[$key] ) ) {
			$out[$key] = wikictlSchema( $schema[$key] );
		}
	}
	foreach ( $schema['properties'] ?? [] as $name => $property ) {
		if ( is_array( $property ) ) {
			$out['properties'][$name] = wikictlSchema( $property );
		}
	}
	return $out;
}

/** The settings of a core without a schema, before MediaWiki 1.39: their names are known, and the defaults that are plain. */
function wikictlOldCore( string $root ): array {
	preg_match_all( '/^\$(wg\w+) = (.*)$/m', (string)@file_get_contents( "$root/includes/DefaultSettings.php" ), $lines, PREG_SET_ORDER );
	$settings = [];
	foreach ( $lines as [ , $name, $value ] ) {
		$plain = preg_match( '/^(?:true|false|-?\d+);/', $value ) || preg_match( "/^'[^'\\\\]*';/", $value );
		$settings[$name] = [ 'default' => $plain ? json_decode( str_replace( "'", '"', substr( $value, 0, strpos( $value, ';' ) ) ) ) : null, 'types' => [] ];
	}
	return [ 'settings' => (object)$settings, 'names' => wikictlGlobals( "$root/includes", '' ) ];
}

/** The settings of core. */
function wikictlCore( string $root ): array {
	if ( !is_file( "$root/includes/config-schema.php" ) ) {
		return wikictlOldCore( $root );
	}
	$schema = require "$root/includes/config-schema.php";
	$types = $schema['config-schema-inverse']['type'] ?? [];
	$settings = [];
	foreach ( $schema['config-schema-inverse']['default'] ?? [] as $name => $default ) {
		$one = ( $schema['config-schema'][$name] ?? [] ) + [ 'type' => $types[$name] ?? [] ];
		$settings["wg$name"] = [ 'default' => $default ] + wikictlSchema( $one );
	}
	foreach ( $schema['config-schema'] ?? [] as $name => $one ) {
		$settings["wg$name"] ??= [ 'default' => null ] + wikictlSchema( $one );
	}
	foreach ( $schema['obsolete-config'] ?? [] as $name => $why ) {
		$settings["wg$name"] = [ 'default' => null, 'types' => [], 'obsolete' => (string)$why ];
	}
	return [ 'settings' => (object)$settings, 'names' => wikictlGlobals( "$root/includes", '' ) ];
}

/** The settings that an extension or a skin declares, and those that its code names. */
function wikictlComponent( string $dir, string $manifest ): array {
	$data = json_decode( file_get_contents( "$dir/$manifest" ), true ) ?: [];
	$config = $data['config'] ?? [];
	$prefix = $data['config_prefix'] ?? $config['_prefix'] ?? 'wg';
	$settings = [];
	foreach ( is_array( $config ) ? $config : [] as $name => $one ) {
		if ( $name[0] === '_' || $name[0] === '@' ) {
			continue;
		}
		$declared = ( $data['manifest_version'] ?? 1 ) >= 2 && is_array( $one );
		$value = $declared ? $one['value'] ?? null : $one;
		if ( is_array( $value ) ) {
			unset( $value['_merge_strategy'] );
		}
		$settings[$prefix . $name] = [ 'default' => $value ] + wikictlSchema( $declared ? $one : [] );
	}
	$names = wikictlGlobals( $dir, $prefix );
	// Such as ConfirmEdit/QuestyCaptcha, which is loaded beside ConfirmEdit.
	foreach ( glob( "$dir/*/extension.json" ) as $part ) {
		$names = array_merge( $names, array_keys( wikictlComponent( dirname( $part ), 'extension.json' )['settings'] ) );
	}
	$names = array_values( array_diff( array_unique( $names ), array_keys( $settings ) ) );
	return [ 'settings' => $settings, 'names' => $names ];
}

/** Every variable that looks like a setting in the code below a folder. */
function wikictlGlobals( string $dir, string $prefix ): array {
	$found = [];
	$skip = [ 'vendor', 'node_modules', 'tests', 'i18n', 'resources', 'modules' ];
	$files = new RecursiveIteratorIterator( new RecursiveCallbackFilterIterator(
		new RecursiveDirectoryIterator( $dir, FilesystemIterator::SKIP_DOTS ),
		static fn ( $file ) => $file->isDir() ? !in_array( $file->getFilename(), $skip ) : $file->getExtension() === 'php'
	) );
	foreach ( $files as $file ) {
		$code = @file_get_contents( $file->getPathname() ) ?: '';
		if ( preg_match_all( '/\bglobal\s+([^;(){}]+);/', $code, $m ) ) {
			preg_match_all( '/\$(\w+)/', implode( ' ', $m[1] ), $m );
			$found += array_fill_keys( $m[1], true );
		}
		if ( preg_match_all( '/\$GLOBALS\s*\[\s*[\'"](\w+)[\'"]/', $code, $m ) ) {
			$found += array_fill_keys( $m[1], true );
		}
		if ( $prefix === '' ) {
			continue;
		}
		if ( preg_match_all( '/[$\'"]((?:wg|eg|' . preg_quote( $prefix, '/' ) . ')[A-Z]\w+)/', $code, $m ) ) {
			$found += array_fill_keys( $m[1], true );
		}
		if ( preg_match_all( '/->(?:get|has)\(\s*[\'"]([A-Z]\w+)[\'"]/', $code, $m ) ) {
			foreach ( $m[1] as $name ) {
				$found[$prefix . $name] = $found["wg$name"] = true;
			}
		}
	}
	return array_keys( $found );
}

/** Add what a manifest declares, by the name of its component. */
function wikictlAdd( array &$found, string $kind, string $name, string $manifest ): void {
	$group = wikictlComponent( dirname( $manifest ), basename( $manifest ) );
	$group['settings'] = (object)$group['settings'];
	$found[$kind][$name] = $group;
}

$wikictlOutside = explode( "\0", stream_get_contents( STDIN ) );
$wikictlRoot = array_shift( $wikictlOutside );
$wikictlOutside = array_chunk( $wikictlOutside, 2 );
$wikictlFound = [ 'php' => PHP_VERSION, 'core' => wikictlCore( $wikictlRoot ), 'extensions' => [], 'skins' => [] ];
foreach ( [ 'extensions' => 'extension.json', 'skins' => 'skin.json' ] as $wikictlKind => $wikictlManifest ) {
	foreach ( glob( "$wikictlRoot/$wikictlKind/*/$wikictlManifest" ) as $wikictlFile ) {
		wikictlAdd( $wikictlFound, $wikictlKind, basename( dirname( $wikictlFile ) ), $wikictlFile );
	}
	$wikictlWord = basename( $wikictlManifest, '.json' );
	foreach ( array_merge( glob( "$wikictlRoot/$wikictlKind/*/*/$wikictlManifest" ), glob( "$wikictlRoot/$wikictlKind/*/$wikictlWord-*.json" ) ) as $wikictlFile ) {
		// A part, such as ConfirmEdit/QuestyCaptcha, or another manifest, such as Wikibase:repo.
		[ $wikictlFolder, $wikictlName ] = explode( '/', substr( $wikictlFile, strlen( "$wikictlRoot/$wikictlKind/" ) ) );
		$wikictlName = str_ends_with( $wikictlName, '.json' ) ? ':' . substr( $wikictlName, strlen( "$wikictlWord-" ), -5 ) : "/$wikictlName";
		wikictlAdd( $wikictlFound, $wikictlKind, $wikictlFolder . $wikictlName, $wikictlFile );
	}
	foreach ( $wikictlOutside as [ $wikictlName, $wikictlFile ] ) {
		if ( str_starts_with( basename( $wikictlFile ), 'skin' ) === ( $wikictlKind === 'skins' ) ) {
			wikictlAdd( $wikictlFound, $wikictlKind, $wikictlName, $wikictlFile );
		}
	}
	$wikictlFound[$wikictlKind] = (object)$wikictlFound[$wikictlKind];
}
echo json_encode( $wikictlFound, JSON_UNESCAPED_SLASHES | JSON_INVALID_UTF8_SUBSTITUTE | JSON_PARTIAL_OUTPUT_ON_ERROR );
