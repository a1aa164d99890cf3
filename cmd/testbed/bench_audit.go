package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// benchAudit measures static audits of many tenants, and live audits of fewer.
func benchAudit(ctx context.Context, codebases string, args []string) error {
	flags := flag.NewFlagSet("bench audit", flag.ContinueOnError)
	n := flags.Int("tenants", 0, "how many tenants; 0: 10,000 of definitions, 1,000 of real wikis")
	static := flags.Bool("static", false, "only the definitions")
	live := flags.Bool("live", false, "only what is there")
	if err := flags.Parse(args); err != nil {
		return err
	}
	b, remove, err := newBench(ctx, codebases)
	if err != nil {
		return err
	}
	defer remove()
	if *static || !*live {
		b.n = cmp.Or(*n, 10000)
		if err := b.auditDefinitions(ctx); err != nil {
			return err
		}
	}
	if *static && !*live {
		return nil
	}
	b.n = cmp.Or(*n, 1000)
	return (&auditing{creation: b}).run(ctx)
}

// auditDefinitions measures an audit without servers.
func (b *creation) auditDefinitions(ctx context.Context) error {
	farm := filepath.Join(b.dir, "definitions")
	if err := writeAuditFarm(farm, b.codebases, b.n); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(farm, "state", "run"), 0o755); err != nil {
		return err
	}
	fmt.Printf("%d tenants, %d of them with a fault\n", b.n, (b.n+faultEvery-1)/faultEvery)
	printCostHead("")
	ways := [][]string{{"list"}, {"audit", "--static"}, {"audit", "--static"}, {"audit", "--static", "--format", "json"}}
	names := []string{"list (reads the same files)", "audit, PHP asked for the first time", "audit, PHP's answer remembered", "audit --format json"}
	for i, way := range ways {
		if err := b.audited(ctx, farm, names[i], way...); err != nil {
			return err
		}
	}
	return nil
}

// audited runs wikictl once, and prints its time, its memory and its summary.
func (b *creation) audited(ctx context.Context, farm, name string, args ...string) error {
	out, err := b.meter(ctx, farm, name, args...)
	if last := lastLine(out); strings.HasPrefix(last, args[0]+":") {
		fmt.Println("  " + last)
	}
	return err
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}

// classCount and faultEvery shape the farm: the number of classes, and the distance
// between tenants with a mistake.
const classCount, faultEvery = 20, 50

const auditFarm = `state = "state"
tenants = ["tenants/**/*.toml"]
classes = ["classes/*.toml"]
[servers.main]
managed = true
[codebases]
"1.39" = { path = "CODEBASES/1.39" }
"1.43" = { path = "CODEBASES/1.43" }
[defaults]
codebase = "1.43"
server = "main"
skins = ["Vector", "MinervaNeue"]
[defaults.settings]
wgEnableUploads = true
wgGroupPermissions."*" = { edit = false, createaccount = false }
wgPasswordSender = "wiki@example.org"
wgMainCacheType = 3
wgJobRunRate = 0
[[policy]]
name = "uploads"
setting = "wgMaxUploadSize"
range = [0, 209715200]
reason = "the disk is small"
severity = "warning"
`

const auditClass = `extensions = ["Cite", "ParserFunctions", "WikiEditor", "CodeEditor", "Scribunto", "TemplateData", "PageImages"]
[settings]
wgNamespacesWithSubpages = { 0 = true, 4 = true, 12 = true }
wgFileExtensions = ["png", "jpg", "svg", "pdf"]
wgScribuntoDefaultEngine = "luastandalone"
wgPFEnableStringFunctions = true
wgPageImagesNamespaces = [0, 3000]
wgRightsUrl = "https://creativecommons.org/licenses/by-sa/4.0/"
wgExternalLinkTarget = "_blank"
wgMaxUploadSize = %d
`

const auditTenant = `name = "w%[1]d"
hosts = ["w%[1]d.example.org"]
sitename = "Wiki %[1]d"
classes = ["c%[2]d"]
codebase = "%[4]s"
[settings]
wgMetaNamespace = "Wiki_%[1]d"
wgLogos = { "1x" = "/images/w%[1]d.png", icon = "/images/w%[1]d.svg" }
wgExtraNamespaces = { 3000 = "Portal_%[1]d", 3001 = "Portal_%[1]d_talk" }
wgContentNamespaces = [0, 3000]
wgGroupPermissions.team%[2]d = { edit = true, upload = true, move = true }
wgGroupPermissions.sysop.interwiki = %[5]t
wgLocaltimezone = "%[6]s"
wgRCMaxAge = %[1]d
wgThumbLimits = [120, 200, %[2]d]
%[3]s`

// writeAuditFarm writes the definitions of n tenants.
func writeAuditFarm(dir, codebases string, n int) error {
	write := func(name, content string) error { return writeFile(filepath.Join(dir, name), content) }
	err := write("wikictl.toml", strings.ReplaceAll(auditFarm, "CODEBASES", codebases))
	for i := 0; i < classCount && err == nil; i++ {
		err = write(fmt.Sprintf("classes/c%d.toml", i), fmt.Sprintf(auditClass, 20971520+i))
	}
	zones := []string{"UTC", "Europe/Berlin", "Asia/Tokyo"}
	for i := 0; i < n && err == nil; i++ {
		fault, version := "", "1.43"
		if i%faultEvery == 0 {
			fault = "wgEnableUplods = true\n"
		}
		if i%3 == 0 {
			version = "1.39"
		}
		err = write(fmt.Sprintf("tenants/%d/w%d.toml", i/100, i), fmt.Sprintf(auditTenant, i, i%classCount, fault, version, i%2 == 0, zones[i%len(zones)]))
	}
	return err
}
