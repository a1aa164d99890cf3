package mediawiki

import (
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"wikictl/tenants/disk"
)

// coreFiles lists the files that determine the schema of a MediaWiki tree, besides those
// in coreFolders.
var coreFiles = []string{"includes/Defines.php", "composer.lock", "vendor/composer/installed.json", ".git/HEAD"}

// Since 1.44 the installer and the SQL are in other folders.
var coreFolders = []string{"includes/installer", "includes/Installer", "maintenance", "sql"}

// coreFingerprint hashes the content of the files that determine the core schema, so that
// machines with the same code agree regardless of file times.
func coreFingerprint(root string) string {
	var files []string
	for _, name := range coreFiles {
		files = append(files, filepath.Join(root, name))
	}
	for _, folder := range coreFolders {
		files = append(files, filesBelow(filepath.Join(root, folder), func(path string) bool { return true })...)
	}
	return hashFiles(root, files)
}

// componentFingerprint hashes an extension's manifest, its SQL, and its code that
// declares schema changes.
func componentFingerprint(dir, manifest string) string {
	files := filesBelow(dir, func(path string) bool {
		name := filepath.Base(path)
		return name == manifest || strings.HasSuffix(name, ".sql") ||
			(strings.HasSuffix(name, ".php") && (strings.Contains(name, "Schema") || strings.Contains(name, "Hooks"))) ||
			(strings.HasSuffix(name, ".json") && filepath.Base(filepath.Dir(path)) == "sql")
	})
	return hashFiles(dir, files)
}

// filesBelow lists the files that wanted accepts, in a fixed order. It follows links.
func filesBelow(dir string, wanted func(path string) bool) []string {
	return filesWithin(dir, wanted, map[string]bool{})
}

// filesWithin is filesBelow without the folders in entered, because links may form a
// cycle.
func filesWithin(dir string, wanted func(path string) bool, entered map[string]bool) (files []string) {
	real, err := filepath.EvalSymlinks(dir)
	if err != nil || entered[real] {
		return nil // hashFiles reports unreadable files
	}
	entered[real] = true
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		path, mode := filepath.Join(dir, e.Name()), e.Type()
		if mode&fs.ModeSymlink != 0 {
			to, err := os.Stat(path)
			if err != nil {
				continue
			}
			mode = to.Mode().Type()
		}
		switch {
		case mode.IsDir() && !slices.Contains([]string{"node_modules", "i18n", "tests"}, e.Name()):
			files = append(files, filesWithin(path, wanted, entered)...)
		case mode.IsRegular() && wanted(path):
			files = append(files, path)
		}
	}
	return files
}

func hashFiles(root string, files []string) string {
	h, one := sha256.New(), sha256.New()
	buffer := make([]byte, 32<<10)
	for _, file := range files {
		name, _ := filepath.Rel(root, file)
		h.Write([]byte(name + "\x00"))
		one.Reset()
		if disk.CopyTo(one, file, buffer) == nil {
			h.Write(one.Sum(nil))
		}
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}
