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
	"wgUseTidy":                      {"", "take it away: pages are always tidied"},
	"wgEnableAPI":                    {"", "take it away: the API is always there"},
	"wgEnableWriteAPI":               {"", "take it away: the API is always there"},
	"wgUseAjax":                      {"", "take it away"},
	"wgHtml5":                        {"", "take it away"},
	"wgShowSQLErrors":                {"", "use wgShowExceptionDetails while you look for a mistake"},
	"wgFileBlacklist":                {"", "use wgProhibitedFileExtensions"},
	"wgMimeTypeBlacklist":            {"", "use wgMimeTypeExclusions"},
	"wgShortPagesNamespaceBlacklist": {"", "use wgShortPagesNamespaceExclusions"},
	"wgDBmysql5":                     {"", "take it away"},
	"wgDisableCounters":              {"", "use the extension HitCounters"},
	"wgPasswordSenderName":           {"", "take it away"},
	"wgLogoHD":                       {"", "use wgLogos"},
	"wgMinimalPasswordLength":        {"", "use wgPasswordPolicy"},
	"wgMaximalPasswordLength":        {"", "use wgPasswordPolicy"},
	"wgSessionsInObjectCache":        {"", "use wgSessionCacheType"},
	"wgStyleVersion":                 {"", "take it away"},
	"wgExperimentalHtmlIds":          {"", "use wgFragmentMode"},
	"wgShellboxUrl":                  {"", "use wgShellboxUrls"},
	"wgUseSameSiteLegacyCookies":     {"", "take it away"},
	"wgVerifyMimeTypeIE":             {"", "take it away"},
	"wgUseMediaWikiUIEverywhere":     {"", "take it away"},
	"wgMetricsTarget":                {"", "use wgStatsTarget"},
	"wgMetricsFormat":                {"", "use wgStatsFormat"},
	"wgMetricsPrefix":                {"", "use wgStatsPrefix"},
	"wgPHPSessionHandling":           {"1.47", "take it away: $_SESSION is PHP's own"},
	"wgVirtualRestConfig":            {"1.47", "take it away"},
	"wgThumbnailStepsRatio":          {"1.47", "take it away"},
	"wgAllowSecuritySensitiveOperationIfCannotReauthenticate": {"1.47", "take it away: session providers decide"},
	"wgCachePrefix":                         {"1.47", "take it away: keys begin with the wiki's identifier"},
	"wgRCEngines":                           {"1.46", "give each of wgRCFeeds a class"},
	"wgAPIRequestLog":                       {"1.46", "take it away"},
	"wgBlockTargetMigrationStage":           {"1.46", "take it away"},
	"wgEnableSpecialMute":                   {"1.46", "take it away: it is always there"},
	"wgEnableUserEmailMuteList":             {"1.46", "take it away: it is always there"},
	"wgParserEnableLegacyHeadingDOM":        {"1.45", "take it away: the new markup is always used"},
	"wgParserEnableLegacyMediaDOM":          {"1.45", "take it away: the new markup is always used"},
	"wgUseContentMediaStyles":               {"1.45", "take it away"},
	"wgEnotifImpersonal":                    {"1.45", "take it away"},
	"wgEnotifMaxRecips":                     {"1.45", "take it away"},
	"wgPageLinksSchemaMigrationStage":       {"1.45", "take it away"},
	"wgCategoryLinksSchemaMigrationStage":   {"1.45", "take it away"},
	"wgDBDefaultGroup":                      {"1.45", "take it away"},
	"wgEnableSearchContributorsByIP":        {"1.45", "take it away"},
	"wgResourceLoaderUseObjectCacheForDeps": {"1.44", "take it away"},
	"wgBaseDirectory":                       {"1.44", "take it away"},
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
