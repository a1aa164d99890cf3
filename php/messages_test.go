package php

import (
	"os"
	"path/filepath"
	"testing"

	"wikictl/cmd/testbed/needs"
)

// The updater's store of messages reads those of readers, and writes none; without a
// folder, or a class that reads one, it is MediaWiki's own.
func TestMessagesOfReaders(t *testing.T) {
	code := filepath.Join(needs.Codebases(t), "1.43")
	s, err := Start(t.Context(), Options{Program: needs.Program(t, "php")})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "en.l10n.php"), []byte("<?php return [ 'list' => [ 'v', [ 'a' => 'b' ] ], 'name' => 'English' ];"), 0o644); err != nil {
		t.Fatal(err)
	}
	const asks = `
$store = LocalisationCache::getStoreFromConf( [ 'storeClass' => LCStoreNull::class, 'storeDirectory' => false ], '/nowhere' );
$store->startWrite( 'de' );
$store->set( 'name', 'Deutsch' );
$store->finishWrite();
echo json_encode( [ $store instanceof LCStore, $store->get( 'en', 'list' ), $store->get( 'en', 'name' ), $store->get( 'en', 'x' ), $store->get( 'de', 'name' ) ] );`
	loader := "spl_autoload_register( static fn ( $n ) => is_file( $f = '" + code + "/includes/language/' . $n . '.php' ) && require_once $f );"
	const own = `[true,null,null,null,null]`
	for _, c := range []struct{ name, folder, code, want string }{
		{"a folder", folder, loader + asks, `[true,{"a":"b"},"English",null,null]`},
		{"no folder", "", loader + asks, own},
		{"a folder without messages", t.TempDir(), loader + asks, own},
		{"a version without such a class", folder, "spl_autoload_register( static fn ( $n ) => $n !== 'LCStoreStaticArray' && is_file( $f = '" + code + "/includes/language/' . $n . '.php' ) && require_once $f );" + asks, own},
	} {
		j := job(t, "define( 'MEDIAWIKI', 1 ); "+c.code+` fwrite( STDOUT, "\n" );`)
		j.Statements = &Statements{Messages: c.folder}
		if _, err := s.Run(t.Context(), j); err != nil {
			t.Fatalf("%s: %v: %s", c.name, err, wrote(j.Log))
		}
		if output := wrote(j.Log); output[:min(len(output), len(c.want))] != c.want {
			t.Errorf("%s: said %s, want %s", c.name, output, c.want)
		}
	}
	if files, _ := os.ReadDir(folder); len(files) != 1 {
		t.Errorf("the store has written into its folder: %v", files)
	}
}
