package definitions

import (
	"strings"
	"testing"
)

// runsCode are settings by which MediaWiki would run what a definition says.
var runsCode = []struct{ line, key string }{
	{`wgExtensionFunctions = ["phpinfo"]`, "wgExtensionFunctions[0]"},
	{`wgHooks.BeforePageDisplay = ["phpinfo"]`, "wgHooks.BeforePageDisplay[0]"},
	{`wgDiff3 = "/var/lib/wikictl/wikis/x/images/evil"`, "wgDiff3"},
	{`wgDiff3 = "/usr/bin/../../tmp/diff3"`, "wgDiff3"},
	{`wgDiff3 = "diff3; id"`, "wgDiff3"},
	{`wgImageMagickConvertCommand = "/usr/bin/php"`, "wgImageMagickConvertCommand"},
	{`wgImageMagickConvertCommand = ["/usr/bin/convert"]`, "wgImageMagickConvertCommand[0]"},
	{`wgMimeDetectorCommand = "id >/tmp/x; file -bi"`, "wgMimeDetectorCommand"},
	{`wgSVGConverters.x = "id"`, "wgSVGConverters.x"},
	{`wgSVGConverterPath = "/tmp"`, "wgSVGConverterPath"},
	{`wgAntivirusSetup.x.command = "id"`, "wgAntivirusSetup.x.command"},
	{`wgAdditionalMailParams = "-X/tmp/x.php"`, "wgAdditionalMailParams"},
	{`wgExternalDiffEngine = "/bin/sh"`, "wgExternalDiffEngine"},
	{`wgPhpCli = "/tmp/php"`, "wgPhpCli"},
	{`wgPdfProcessor = "id #"`, "wgPdfProcessor"},
	{`wgObjectCaches.x.factory = "system"`, "wgObjectCaches.x.factory"},
	{`wgMWLoggerDefaultSpi = { class = "SplFileObject", args = ["/tmp/x", "w"] }`, "wgMWLoggerDefaultSpi.args[0]"},
	{`wgSpecialPages.Evil = "phpinfo"`, "wgSpecialPages.Evil"},
	{`wgActions.evil.class = "Evil"`, "wgActions.evil.class"},
	{`wgActions = { remove = ["purge"], append = ["Evil"] }`, "wgActions[0]"},
	{`wgActions = { replace = { evil = { remove = ["Evil"] } } }`, "wgActions.evil[0]"},
	{`wgAutoloadClasses.Evil = "images/a/ab/Evil.png"`, "wgAutoloadClasses.Evil"},
	{`wgExtensionMessagesFiles.x = "/tmp/x.png"`, "wgExtensionMessagesFiles.x"},
	{`wgServiceWiringFiles = ["/tmp/x"]`, "wgServiceWiringFiles[0]"},
	{`wgPasswordPolicy.checks.x = "phpinfo"`, "wgPasswordPolicy.checks.x"},
	{`wgOther.deep.callback = "phpinfo"`, "wgOther.deep.callback"},
	{`wgScribuntoEngineConf.luastandalone.luaPath = "/tmp/x"`, "wgScribuntoEngineConf.luastandalone.luaPath"},
}

// Where PHP is not allowed in definitions, literals that MediaWiki runs are none either,
// wherever they are set; where it is, they are taken.
func TestCodeIsRefused(t *testing.T) {
	for _, tc := range runsCode {
		t.Run(tc.line, func(t *testing.T) {
			for _, where := range []string{"tenants/x.toml", "classes/c.toml", "wikictl.toml"} {
				files := tenant("classes = [\"c\"]\n[settings]\n")
				files["classes/c.toml"], files["wikictl.toml"] = "[settings]\n", farmToml
				files[where] += tc.line + "\n"
				_, err := Load(writeFarm(t, files))
				if err == nil {
					t.Fatalf("in %s it is accepted", where)
				}
				if says := err.Error(); !strings.HasPrefix(says, where+":") || !strings.Contains(says, "settings."+tc.key+": ") || !strings.Contains(says, "allow_php = true") {
					t.Errorf("in %s it says %q", where, says)
				}
				files["wikictl.toml"] = "allow_php = true\n" + files["wikictl.toml"]
				if _, err := Load(writeFarm(t, files)); err != nil {
					t.Errorf("in %s with allow_php: %v", where, err)
				}
			}
		})
	}
}

// What names a usual program, turns something off, or is data, is left to definitions.
func TestLiteralsThatRunNothing(t *testing.T) {
	for _, line := range []string{
		`wgDiff3 = "/usr/bin/diff3"`, `wgDiff3 = false`, `wgDiff3 = ""`, `wgImageMagickConvertCommand = "/opt/ImageMagick-7.1/bin/magick"`,
		`wgImageMagickConvertCommand = "convert"`, `wgPhpCli = "/usr/bin/php8.2"`, `wgGitBin = "/usr/local/bin/git"`, `wgExternalDiffEngine = "wikidiff2"`,
		`wgSVGConverterPath = "/usr/bin"`, `wgSVGConverter = "rsvg"`, `wgActions.delete = false`, `wgHooks = {}`, `wgActions = { remove = ["purge"] }`, `wgAntivirus = "clamav"`,
		`wgObjectCaches.redis = { class = "RedisBagOStuff", servers = ["127.0.0.1:6379"] }`, `wgJobTypeConf.default.class = "JobQueueRedis"`,
		`wgForeignFileRepos = [{ class = "ForeignAPIRepo", name = "commons", apibase = "https://commons.wikimedia.org/w/api.php" }]`,
		`wgRCFeeds.irc = { formatter = "IRCColourfulRCFeedFormatter", uri = "udp://localhost:6667" }`, `wgCaptchaClass = "QuestyCaptcha"`,
		`wgPasswordPolicy.policies.default.MinimalPasswordLength = 10`, `wgScribuntoDefaultEngine = "luastandalone"`,
	} {
		files := tenant("[settings]\n" + line + "\n")
		files["wikictl.toml"] = farmToml
		if _, err := Load(writeFarm(t, files)); err != nil {
			t.Errorf("%s: %v", line, err)
		}
	}
}
