package mediawiki

import "fmt"

// gone is a setting that MediaWiki has no more.
type gone struct {
	since   string // the first version without it; empty: before those that wikictl runs
	instead string // what to do
}

// removedSettings are by full name (release notes of MediaWiki 1.31 to 1.47, "Removed
// configuration"; of 1.47 those of its alpha).
var removedSettings = map[string]gone{
	"wgUseSquid":                     {"", "use wgUseCdn"},
	"wgSquidServers":                 {"", "use wgCdnServers"},
	"wgSquidServersNoPurge":          {"", "use wgCdnServersNoPurge"},
	"wgSquidMaxage":                  {"", "use wgCdnMaxAge"},
	"wgUseTidy":                      {"", "remove it: pages are always tidied"},
	"wgEnableAPI":                    {"", "remove it: the API is always there"},
	"wgEnableWriteAPI":               {"", "remove it: the API is always there"},
	"wgUseAjax":                      {"", "remove it"},
	"wgHtml5":                        {"", "remove it"},
	"wgShowSQLErrors":                {"", "use wgShowExceptionDetails while you look for a mistake"},
	"wgFileBlacklist":                {"", "use wgProhibitedFileExtensions"},
	"wgMimeTypeBlacklist":            {"", "use wgMimeTypeExclusions"},
	"wgShortPagesNamespaceBlacklist": {"", "use wgShortPagesNamespaceExclusions"},
	"wgDBmysql5":                     {"", "remove it"},
	"wgDisableCounters":              {"", "use the extension HitCounters"},
	"wgPasswordSenderName":           {"", "remove it"},
	"wgLogoHD":                       {"", "use wgLogos"},
	"wgMinimalPasswordLength":        {"", "use wgPasswordPolicy"},
	"wgMaximalPasswordLength":        {"", "use wgPasswordPolicy"},
	"wgSessionsInObjectCache":        {"", "use wgSessionCacheType"},
	"wgStyleVersion":                 {"", "remove it"},
	"wgExperimentalHtmlIds":          {"", "use wgFragmentMode"},
	"wgShellboxUrl":                  {"", "use wgShellboxUrls"},
	"wgUseSameSiteLegacyCookies":     {"", "remove it"},
	"wgVerifyMimeTypeIE":             {"", "remove it"},
	"wgUseMediaWikiUIEverywhere":     {"", "remove it"},
	"wgMetricsTarget":                {"", "use wgStatsTarget"},
	"wgMetricsFormat":                {"", "use wgStatsFormat"},
	"wgMetricsPrefix":                {"", "use wgStatsPrefix"},
	"wgPHPSessionHandling":           {"1.47", "remove it: $_SESSION is PHP's own"},
	"wgVirtualRestConfig":            {"1.47", "remove it"},
	"wgThumbnailStepsRatio":          {"1.47", "remove it"},
	"wgAllowSecuritySensitiveOperationIfCannotReauthenticate": {"1.47", "remove it: session providers decide"},
	"wgCachePrefix":                         {"1.47", "remove it: keys begin with the wiki's identifier"},
	"wgRCEngines":                           {"1.46", "give each of wgRCFeeds a class"},
	"wgAPIRequestLog":                       {"1.46", "remove it"},
	"wgBlockTargetMigrationStage":           {"1.46", "remove it"},
	"wgEnableSpecialMute":                   {"1.46", "remove it: it is always there"},
	"wgEnableUserEmailMuteList":             {"1.46", "remove it: it is always there"},
	"wgParserEnableLegacyHeadingDOM":        {"1.45", "remove it: the new markup is always used"},
	"wgParserEnableLegacyMediaDOM":          {"1.45", "remove it: the new markup is always used"},
	"wgUseContentMediaStyles":               {"1.45", "remove it"},
	"wgEnotifImpersonal":                    {"1.45", "remove it"},
	"wgEnotifMaxRecips":                     {"1.45", "remove it"},
	"wgPageLinksSchemaMigrationStage":       {"1.45", "remove it"},
	"wgCategoryLinksSchemaMigrationStage":   {"1.45", "remove it"},
	"wgDBDefaultGroup":                      {"1.45", "remove it"},
	"wgEnableSearchContributorsByIP":        {"1.45", "remove it"},
	"wgResourceLoaderUseObjectCacheForDeps": {"1.44", "remove it"},
	"wgBaseDirectory":                       {"1.44", "remove it"},
	"wgInterwikiCentralDB":                  {"1.44", "use wgVirtualDomainsMapping"},
	"wgInterwikiCentralInterlanguageDB":     {"1.44", "use wgVirtualDomainsMapping"},
	"wgInterwikiViewOnly":                   {"1.44", "take the right interwiki from groups"},
}

// RemovedSetting says since when a release of MediaWiki does not read a setting, as " since
// 1.47" or nothing, and what to do; ok is false for one of which nothing is known.
func RemovedSetting(name, release string) (since, instead string, ok bool) {
	g, known := removedSettings[name]
	if !known || g.since != "" && compareVersion(release, g.since) < 0 {
		return "", "", false
	}
	if g.since != "" {
		since = fmt.Sprintf(", since %s", g.since)
	}
	return since, g.instead, true
}
