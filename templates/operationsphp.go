package templates

import "regexp"

// phpVariable matches the name of a variable in a PHP expression.
var phpVariable = regexp.MustCompile(`\$[A-Za-z_][A-Za-z0-9_]*`)

// superglobal lists the variables that PHP has in every scope.
var superglobal = map[string]bool{
	"$_SERVER": true, "$_ENV": true, "$_GET": true, "$_POST": true, "$_COOKIE": true, "$_FILES": true, "$_REQUEST": true, "$_SESSION": true,
}

// onlyOnce guards against another call after extensions are loaded: MediaWiki calls the hook again
// when it recreates its services.
const onlyOnce = `	static $done = false;
	if ( $done ) {
		return;
	}
	$done = $loaded;
`

// callChange calls the function that carries out operations.
const callChange = `$wikictlChange( false );
$wgHooks['MediaWikiServices'][] = static function () use ( $wikictlChange ) {
	$wikictlChange( true );
};
unset( $wikictlChange );`

// changeList removes elements, or members by name, and adds missing ones.
const changeList = `	$same = static function ( $a, $b ) {
		return $a === $b || ( is_int( $a ) || is_string( $a ) ) && ( is_int( $b ) || is_string( $b ) ) && (string)$a === (string)$b;
	};
	$in = static function ( $x, array $list ) use ( $same ) {
		foreach ( $list as $y ) {
			if ( $same( $x, $y ) ) {
				return true;
			}
		}
		return false;
	};
	$changeList = static function ( $have, array $remove, array $first, array $last ) use ( $in ) {
		$have = is_array( $have ) ? $have : array_filter( [ $have ] );
		// Numbers may be keys, too: of namespaces, which settings turn on and off by truth values.
		$isList = $have === array_values( $have ) && !array_filter( $have, 'is_bool' );
		foreach ( $have as $key => $value ) {
			if ( $in( $isList ? $value : $key, $remove ) || $isList && $in( $value, $first ) ) {
				unset( $have[$key] );
			}
		}
		foreach ( $last as $value ) {
			if ( !$in( $value, $have ) ) {
				$have[] = $value;
			}
		}
		return $isList ? array_merge( $first, $have ) : $first + $have;
	};
`

// removeGroup removes a group from every setting that names groups (Manual:User rights).
// Its parameters are the settings whose members are groups, and those with groups deeper
// or in lists.
const removeGroup = `	$removeGroup = static function ( $group ) {
		foreach ( [ %s, 'wgAutopromote' ] as $name ) {
			unset( $GLOBALS[$name][$group] );
		}
		foreach ( [ 'wgAddGroups', 'wgRemoveGroups', 'wgGroupsAddToSelf', 'wgGroupsRemoveFromSelf', 'wgAutopromoteOnce', 'wgRateLimits', 'wgPasswordPolicy' ] as $name ) {
			foreach ( $GLOBALS[$name] ?? [] as $key => $members ) {
				if ( is_array( $members ) ) {
					unset( $members[$group] );
					$at = array_search( $group, $members, true );
					if ( $at !== false && is_int( $at ) ) {
						unset( $members[$at] );
						$members = array_values( $members );
					}
					$GLOBALS[$name][$key] = $members;
				}
			}
		}
		foreach ( [ 'wgImplicitGroups', 'wgPrivilegedGroups', 'wgGroupInheritsPermissions' ] as $name ) {
			if ( isset( $GLOBALS[$name] ) ) {
				$left = array_diff( $GLOBALS[$name], [ $group ] );
				$GLOBALS[$name] = $name === 'wgGroupInheritsPermissions' ? $left : array_values( $left );
			}
		}
	};
`

// copyGroup copies a group in some settings, if they have it.
const copyGroup = `	foreach ( [ %s ] as $name ) {
		if ( isset( $GLOBALS[$name][%[2]s] ) ) {
			$GLOBALS[$name][%[3]s] = $GLOBALS[$name][%[2]s];
		}
	}
`
