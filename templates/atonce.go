package templates

import (
	"slices"

	"wikictl/tenants"
)

// actsAtOnce reports whether an operation also acts where it is written. MediaWiki, and the
// callbacks of extensions, read settings while extensions are loaded, and then expect what a
// statement in LocalSettings.php would have changed. The default must be known there, and the second
// time must change nothing more: an element that is a table may have been completed meanwhile.
func (s Setting) actsAtOnce() bool {
	o := s.operation()
	return s.listed && len(s.path) == 0 && !o.Absent && o.Copy == "" && !slices.ContainsFunc(o.Values(), func(v tenants.Value) bool {
		_, isTable := v.Data.(map[string]tenants.Value)
		return isTable && o.Replace == nil || isExpression(v)
	})
}

// completion is PHP code that completes settings as MediaWiki does before extensions are loaded
// (includes/SetupDynamicConfig.php): an operation would undo that.
type completion struct {
	settings []string // any operation on one of them needs it
	code     string   // has their values from before the operations in $was
}

var completions = []completion{
	{[]string{"wgNamespaceProtection"}, `	$GLOBALS['wgNamespaceProtection'][NS_MEDIAWIKI] = 'editinterface';
`},
	{[]string{"wgFileExtensions", "wgProhibitedFileExtensions"}, `	$GLOBALS['wgFileExtensions'] = array_values( array_diff( $GLOBALS['wgFileExtensions'], $GLOBALS['wgProhibitedFileExtensions'] ?? $GLOBALS['wgFileBlacklist'] ?? [] ) );
`},
	{[]string{"wgForeignFileRepos"}, `	foreach ( $GLOBALS['wgForeignFileRepos'] as &$repo ) {
		if ( preg_match( '/(^|\\\\)ForeignAPIRepo$/', $repo['class'] ) ) {
			$repo += [ 'directory' => $GLOBALS['wgUploadDirectory'] ];
		}
		$repo += [ 'backend' => $repo['name'] . '-backend' ];
	}
	unset( $repo );
`},
	{[]string{"wgLockManagers"}, `	foreach ( $was['wgLockManagers'] as $manager ) {
		if ( in_array( $manager['name'], [ 'fsLockManager', 'nullLockManager' ], true ) && !in_array( $manager, $GLOBALS['wgLockManagers'], true ) ) {
			$GLOBALS['wgLockManagers'][] = $manager;
		}
	}
`},
	{[]string{"wgGalleryOptions"}, `	$GLOBALS['wgGalleryOptions'] += $was['wgGalleryOptions'];
`},
	{[]string{"wgLogTypes"}, `	$GLOBALS['wgLogTypes'] = array_values( array_unique( array_merge( $GLOBALS['wgLogTypes'], array_intersect( $was['wgLogTypes'], [ 'newusers', 'create', 'pagelang' ] ) ) ) );
`},
}

// completing returns the completions that operations need.
func completing(operations []Setting) (needed []completion) {
	for _, c := range completions {
		if slices.ContainsFunc(operations, func(s Setting) bool { return slices.Contains(c.settings, s.Name) }) {
			needed = append(needed, c)
		}
	}
	return needed
}
