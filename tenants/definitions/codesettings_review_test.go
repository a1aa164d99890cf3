package definitions

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"wikictl/cmd/testbed/needs"
)

// suspicious is what the name or the description of a setting has that may be about code
// which MediaWiki runs.
var (
	suspiciousName = regexp.MustCompile(`(?:Command|Cli|Bin|Tran|Dump|Txt|XML|Exiftool|Processor|Renderer|Engine|Path|Perl|Shell|Functions|Hooks|Class|Classes|Modules|Handlers?|Providers|Factory|Files|Converters|Setup|Diff3?|Callbacks?|Registry|Spi|Params|Info|toText|Notifiers|Notifications|Config|Conf|Checks|Updates|Backends|Managers|Feeds|Actions|SpecialPages|Profiler|Types|Repos?)$`)
	suspiciousText = regexp.MustCompile(`(?i)callable|callback|closure|ObjectFactory|executable|command[- ]line|shell command|\bfactory\b|class name|path to (?:the )?(?:a )?\w+ (?:binary|program)`)
)

// reviewed are suspicious settings by whose texts no code of the definition's choice runs:
// data, addresses, folders of data, and classes that MediaWiki makes from a table that can
// hold no functions, as codeMembers are refused.
const reviewed = `
wgAbuseFilterActions wgAbuseFilterLocallyDisabledGlobalActions wgAbuseFilterNotifications wgAdvertisedFeedTypes
wgAllowSlowParserFunctions wgAutoloadAttemptLowercase wgCaptchaClass wgCaptchaStorageClass wgCategoryCollation
wgChangeCredentialsBlacklist wgConfirmEditEnabledAbuseFilterCustomActions wgCookiePath
wgCopyUploadAllowOnWikiDomainConfig wgCriticalSectionTimeLimit wgDiffEngine wgDisableUploadScriptChecks
wgDjvuUseBoxedCommand wgEchoCrossWikiNotifications wgEchoMentionStatusNotifications wgEchoNotifications
wgEchoPollForUpdates wgEchoWatchlistNotifications wgEventRelayerConfig wgExtensionAssetsPath wgExtractsRemoveClasses
wgFileBackends wgFilterLogTypes wgForeignFileRepos wgGadgetsRepo wgGadgetsRepoClass wgImgAuthPath wgJobTypeConf
wgLocalStylePath wgLocalVirtualHosts wgLockManagers wgLogActions wgLogTypes wgMWLoggerDefaultSpi wgMathSvgRenderer
wgMathUseInternalRestbasePath wgObjectCaches wgOpenTelemetryConfig wgPFEnableStringFunctions wgParserCacheFilterConfig
wgParserTestFiles wgParserTestMediaHandlers wgParsoidCacheConfig wgPasswordConfig wgPoolCountClientConf
wgPoolCounterConf wgProfiler wgRCFeeds wgRemoveCredentialsBlacklist wgResourceBasePath wgResourceLoaderEnableJSProfiler
wgRestPath wgRestrictionTypes wgScribuntoDefaultEngine wgScribuntoEngineConf wgSearchType wgSearchTypeAlternatives
wgSharedThumbnailScriptPath wgSharedUploadPath wgShellCgroup wgShellRestrictionMethod wgShellboxUrls
wgShowExceptionDetails wgSiteTypes wgSpecialVersionShowHooks wgStylePath wgThanksAllowedLogTypes wgThumbPath
wgThumbnailScriptPath wgTidyConfig wgUsePathInfo wgValidSkinNames wgVariantArticlePath wgVirtualRestConfig
wgVisualEditorParsoidAutoConfig wgVisualEditorPluginModules wgVisualEditorPreferenceModules wgVisualEditorPreloadModules
wgXMLMimeTypes
`

// Every setting of the MediaWiki trees that may be about code is known to be, or was
// looked at: a new release of MediaWiki brings new ones.
func TestCodeSettingsOfTrees(t *testing.T) {
	known := strings.Fields(reviewed)
	var unknown, seen []string
	for _, version := range []string{"1.39", "1.43"} {
		for name, text := range describedSettings(t, filepath.Join(needs.Codebases(t), version)) {
			if !suspiciousName.MatchString(name) && !suspiciousText.MatchString(text) {
				continue
			}
			seen = append(seen, name)
			_, program := programSettings[name]
			own := ownSettings[name] != ""
			part := slices.ContainsFunc([]string{".checks", ".directory"}, func(end string) bool { return codeSettings[name+end] || ownSettings[name+end] != "" })
			if !program && !own && !part && !codeSettings[name] && !slices.Contains(known, name) && !slices.Contains(unknown, name) {
				unknown = append(unknown, name)
			}
		}
	}
	slices.Sort(unknown)
	if len(unknown) > 0 {
		t.Errorf("look whether MediaWiki runs what these say, and add them to codeSettings, programSettings or reviewed:\n%s", strings.Join(unknown, " "))
	}
	for _, name := range known {
		if !slices.Contains(seen, name) {
			t.Errorf("%s is reviewed, and in no tree", name)
		}
	}
	if !slices.Contains(seen, "wgHooks") || !slices.Contains(seen, "wgDiff3") || !slices.Contains(seen, "wgPdfProcessor") {
		t.Error("the trees were not read")
	}
}

// described is a setting of MainConfigSchema.php with the comment above it.
var described = regexp.MustCompile(`(?s)/\*\*((?:[^*]|\*[^/])*)\*/\s*public const (\w+) = `)

// describedSettings are the settings of a tree and its extensions with what is said of them.
func describedSettings(t *testing.T, tree string) map[string]string {
	t.Helper()
	code, err := os.ReadFile(filepath.Join(tree, "includes/MainConfigSchema.php"))
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for _, m := range described.FindAllSubmatch(code, -1) {
		found["wg"+string(m[2])] = string(m[1])
	}
	manifests, _ := filepath.Glob(filepath.Join(tree, "extensions/*/extension.json"))
	for _, manifest := range manifests {
		data, err := os.ReadFile(manifest)
		if err != nil {
			t.Fatal(err)
		}
		var m struct {
			Config map[string]json.RawMessage
			Prefix string `json:"config_prefix"`
		}
		if err := json.Unmarshal(data, &m); err != nil {
			t.Fatalf("%s: %v", manifest, err)
		}
		if m.Prefix == "" {
			m.Prefix = "wg"
		}
		for name, text := range m.Config {
			found[m.Prefix+name] = string(text)
		}
	}
	return found
}
