package php

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"wikictl/cmd/testbed/needs"
)

// tree writes files below a folder that looks like a codebase.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	needs.Files(t, root, files)
	return root
}

// The classes that one job used are loaded before later jobs begin, except those that can't be
// loaded outside of a wiki.
func TestLaterJobsBeginWithTheClassesOfTheFirst(t *testing.T) {
	root := tree(t, map[string]string{
		"includes/AutoLoader.php": `<?php spl_autoload_register( static function ( $name ) { require __DIR__ . "/$name.php"; } );`,
		"includes/Good.php":       `<?php class Good {}`,
		"includes/Deadly.php":     `<?php if ( !defined( 'MEDIAWIKI' ) ) { die( 'not here' ); } class Deadly {}`,
		"includes/Last.php":       `<?php class Last extends Good {}`,
		"extensions/Own.php":      `<?php class Own {}`,
		"maintenance/script.php": `<?php
			foreach ( [ 'Good', 'Deadly', 'Last', 'Own' ] as $name ) {
				echo $name, class_exists( $name, false ) ? '+' : '-';
			}
			define( 'MEDIAWIKI', 1 );
			require_once __DIR__ . '/../includes/AutoLoader.php';
			require_once __DIR__ . '/../extensions/Own.php';
			class_exists( 'Good' ) && class_exists( 'Deadly' ) && class_exists( 'Last' ) || exit( 1 );`,
		"log": "",
	})
	s, err := Start(t.Context(), Options{Program: needs.Program(t, "php")})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	deadline := time.Now().Add(20 * time.Second)
	for {
		if err := os.Truncate(filepath.Join(root, "log"), 0); err != nil {
			t.Fatal(err)
		}
		r, err := s.Run(t.Context(), Job{Script: filepath.Join(root, "maintenance/script.php"), Log: filepath.Join(root, "log"), Limit: 20 * time.Second})
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(r.Tail, "Good+Deadly-Last+Own-") {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the last job began with %q", r.Tail)
		}
	}
}

// Jobs begin with the patterns compiled by which MediaWiki compares versions: the server has used
// the class that has them. A class that throws does no harm.
func TestLaterJobsBeginWithCompiledPatterns(t *testing.T) {
	const parser = `<?php namespace Composer\Semver; class VersionParser {
		public static $asked = []; public function parseConstraints( $c ) { self::$asked[] = $c; %s return 1; } }`
	for _, end := range []string{"", "throw new \\Error( 'none' );"} {
		root := tree(t, map[string]string{
			"includes/AutoLoader.php":    `<?php spl_autoload_register( static function ( $name ) { require __DIR__ . "/" . basename( strtr( $name, "\\", "/" ) ) . ".php"; } );`,
			"includes/VersionParser.php": fmt.Sprintf(parser, end),
			"maintenance/script.php": `<?php
				echo class_exists( 'Composer\Semver\VersionParser', false ) ? 'later ' . implode( ',', Composer\Semver\VersionParser::$asked ) : 'first';
				require_once __DIR__ . '/../includes/AutoLoader.php';
				class_exists( 'Composer\Semver\VersionParser' );`,
		})
		s, err := Start(t.Context(), Options{Program: needs.Program(t, "php")})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		said := "first"
		for deadline := time.Now().Add(20 * time.Second); said == "first" && time.Now().Before(deadline); {
			log := filepath.Join(root, "log")
			if err := os.WriteFile(log, nil, 0o644); err != nil {
				t.Fatal(err)
			}
			r, err := s.Run(t.Context(), Job{Script: filepath.Join(root, "maintenance/script.php"), Log: log, Limit: 20 * time.Second})
			if err != nil {
				t.Fatal(err)
			}
			said = r.Tail
		}
		if said != "later >= 1.43.0" {
			t.Errorf("a job began with %q", said)
		}
	}
}

// Jobs draw numbers of their own, also once code that the server loaded for them has
// drawn some.
func TestJobsDrawNumbersOfTheirOwn(t *testing.T) {
	root := tree(t, map[string]string{
		"includes/AutoLoader.php": `<?php spl_autoload_register( static function ( $name ) { require __DIR__ . "/$name.php"; } );`,
		"includes/Random.php":     `<?php mt_srand( 1 ); class Random {}`,
		"maintenance/script.php": `<?php
			echo class_exists( 'Random', false ) ? 'loaded ' : 'new ', mt_rand(), ' ', str_shuffle( 'abcdefghijklmnopqrstuvwxyz' );
			require_once __DIR__ . '/../includes/AutoLoader.php';
			class_exists( 'Random' );`,
	})
	s, err := Start(t.Context(), Options{Program: needs.Program(t, "php")})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	drawn := map[string]bool{}
	for deadline := time.Now().Add(20 * time.Second); len(drawn) < 8; {
		log := filepath.Join(root, "log")
		if err := os.WriteFile(log, nil, 0o644); err != nil {
			t.Fatal(err)
		}
		r, err := s.Run(t.Context(), Job{Script: filepath.Join(root, "maintenance/script.php"), Log: log, Limit: 20 * time.Second})
		words := strings.Fields(r.Tail)
		if err != nil || len(words) != 3 {
			t.Fatalf("%q, %v", r.Tail, err)
		}
		if words[0] == "new" && time.Now().Before(deadline) {
			continue
		}
		if words[0] == "new" || drawn[words[1]] || drawn[words[2]] {
			t.Fatalf("%q comes twice, or the class was never loaded", r.Tail)
		}
		drawn[words[1]], drawn[words[2]] = true, true
	}
}

// A script of a real MediaWiki prints the same whether or not its classes were
// loaded before it began.
func TestLoadedClassesChangeNothing(t *testing.T) {
	trees := needs.Codebases(t)
	root := tree(t, map[string]string{"log": "", "LocalSettings.php": `<?php $wgServer = 'http://x.localhost'; $wgSecretKey = 'k'; $wgSitename = 'X';
		$wgMainCacheType = CACHE_NONE; wfLoadExtension( 'Cite' ); wfLoadSkin( 'Vector' );
		fwrite( STDERR, class_exists( 'MediaWiki\MediaWikiServices', false ) ? "loaded\n" : "not loaded\n" );`})
	for _, version := range []string{"1.39", "1.43"} {
		s, err := Start(t.Context(), Options{Program: needs.Program(t, "php")})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		alone := &Server{options: s.options}
		print := func(s *Server) (text string, loaded bool) {
			log := filepath.Join(root, "log")
			if err := os.Truncate(log, 0); err != nil {
				t.Fatal(err)
			}
			if _, err := s.Run(t.Context(), Job{Script: filepath.Join(trees, version, "maintenance/getConfiguration.php"), Args: []string{"--format=json"},
				Config: filepath.Join(root, "LocalSettings.php"), Log: log, Limit: 20 * time.Second}); err != nil {
				t.Fatal(err)
			}
			text = wrote(log)
			return strings.NewReplacer("not loaded\n", "", "loaded\n", "").Replace(text), !strings.Contains(text, "not loaded")
		}
		want, loaded := print(alone)
		if len(want) < 10000 || loaded {
			t.Fatalf("%s, classes loaded: %v, printed %.300q", version, loaded, want)
		}
		for deadline := time.Now().Add(20 * time.Second); !loaded; {
			var got string
			if got, loaded = print(s); got != want {
				t.Fatalf("%s: %d bytes alone, %d forked, classes loaded: %v", version, len(want), len(got), loaded)
			}
			if time.Now().After(deadline) {
				t.Fatalf("%s: the classes were never loaded", version)
			}
		}
	}
}
