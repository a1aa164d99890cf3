package php

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"wikictl/cmd/testbed/needs"
)

// Settings that no request could load are found, with PHP's own message and the line.
func TestLoad(t *testing.T) {
	const whole = `<?php
$wgSitename = 'W'; $wgServer = 'http://w.test'; $wgScriptPath = '';
$wgDBtype = 'mysql'; $wgDBserver = 'localhost:/nowhere'; $wgDBname = $wgDBuser = $wgDBpassword = 'x';
$wgSecretKey = 'secret'; $wgLanguageCode = 'en'; $wgMainCacheType = CACHE_ACCEL;
$wgLocalisationCacheConf['storeClass'] = 'LCStoreNull';
$wgUsePathInfo = true; $wgFavicon = 'it\'s \\';
$wgServer = 'http://w.test';
$wgScriptPath = '';
$wgUploadDirectory = '/srv/it\'s';
wfLoadSkin( 'Vector' ); $wgDefaultSkin = 'vector';
`
	tests := map[string]struct{ line, says string }{
		"nothing wrong":      {"$wgFoo = 1;", ""},
		"only on the web":    {"if ( PHP_SAPI !== 'cli' ) { nothing(); }", ""},
		"undefined constant": {"$wgFoo = NS_DEV;", `Undefined constant "NS_DEV"`},
		"undefined function": {"$wgFoo = nothing();", "Call to undefined function nothing()"},
		"no Redis": {`$wgObjectCaches['r'] = [ 'class' => 'RedisBagOStuff', 'servers' => [ '127.0.0.1:1' ] ]; $wgMainCacheType = 'r';`,
			"requires a Redis client library"},
		"throws when set up": {"$wgExtensionFunctions[] = function () { throw new RuntimeException( 'not today' ); };", "not today"},
		"no such extension":  {"wfLoadExtension( 'Nope' );", "extensions/Nope/extension.json"},
		"declared twice":     {"function twice() {} function twice() {}", "twice()"},
		"ends PHP":           {"exit( 0 );", "they end PHP"},
		"ends PHP in words":  {"die( 'out of order' );", "out of order"},
		"endless":            {"while ( true ) { $wgFoo = 1; }", "this took 1 s of the processor"},
		"other server":       {"$wgFoo = ( $wgServer = 'http://v.test' );", "an expression changes $wgServer"},
		"other files, later": {"$wgExtensionFunctions[] = function () { $GLOBALS['wgScriptPath'] = '/w'; };", "an expression changes $wgScriptPath"},
		"other repo":         {"$wgLocalFileRepo = [ 'class' => 'LocalRepo', 'name' => 'local', 'directory' => '/tmp', 'hashLevels' => 2, 'backend' => 'local-backend' ];", "changes the folder of $wgLocalFileRepo"},
		"error by hand":      {"trigger_error( 'by hand', E_USER_ERROR );", "by hand"},
		"prints a secret":    {`throw new RuntimeException( "it is $wgSecretKey." );`, "it is [secret]."},
	}
	script := filepath.Join(t.TempDir(), "load.php")
	if err := os.WriteFile(script, LoadScript(), 0o644); err != nil {
		t.Fatal(err)
	}
	server, err := Start(t.Context(), Options{Program: needs.Program(t, "php")})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	for _, version := range []string{"1.39", "1.43"} {
		for name, c := range tests {
			t.Run(version+" "+name, func(t *testing.T) {
				l := Loading{Script: script, Root: filepath.Join(needs.Codebases(t), version), Config: filepath.Join(t.TempDir(), "LocalSettings.php")}
				l.Log, l.CPU = l.Config+".log", time.Minute
				if name == "endless" {
					l.CPU = time.Second
				}
				if err := errors.Join(os.WriteFile(l.Config, []byte(whole+c.line+"\n"), 0o600), os.WriteFile(l.Log, nil, 0o600)); err != nil {
					t.Fatal(err)
				}
				err := server.Load(t.Context(), l)
				if c.says == "" {
					if err != nil {
						t.Error(err)
					}
					return
				}
				placed := !strings.Contains(name, "ends PHP") && !strings.Contains(name, "other ") && name != "no Redis"
				wrongAt(t, err, c.says, Frame{l.Config, 11}, placed)
			})
		}
	}
}

// wrongAt wants settings that could not be loaded, in PHP's words; the line is among
// what led there, where it is to be placed.
func wrongAt(t *testing.T, err error, says string, line Frame, placed bool) {
	t.Helper()
	var wrong *SettingsError
	if !errors.As(err, &wrong) || !strings.Contains(wrong.Message, says) {
		t.Fatalf("error is %v", err)
	}
	if placed && !slices.Contains(wrong.Frames, line) {
		t.Errorf("line %d is not in %v", line.Line, wrong.Frames)
	}
}
