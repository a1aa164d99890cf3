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

// coreFiles are what decides the schema that a MediaWiki tree makes, besides
// the folders of coreFolders.
var coreFiles = []string{"includes/Defines.php", "composer.lock", "vendor/composer/installed.json", ".git/HEAD"}

// The installer and the SQL stand in other folders since 1.44.
var coreFolders = []string{"includes/installer", "includes/Installer", "maintenance", "sql"}

// coreFingerprint hashes the content of what decides the core schema, so that
// two machines with the same code agree whatever the files' times are.
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

// componentFingerprint hashes an extension's manifest, its SQL and the code
// that names schema changes.
func componentFingerprint(dir, manifest string) string {
	files := filesBelow(dir, func(path string) bool {
		name := filepath.Base(path)
		return name == manifest || strings.HasSuffix(name, ".sql") ||
			(strings.HasSuffix(name, ".php") && (strings.Contains(name, "Schema") || strings.Contains(name, "Hooks"))) ||
			(strings.HasSuffix(name, ".json") && filepath.Base(filepath.Dir(path)) == "sql")
	})
	return hashFiles(dir, files)
}

// filesBelow lists the files that are wanted, in a fixed order. Linked files and folders
// count as what they lead to.
func filesBelow(dir string, wanted func(path string) bool) []string {
	return filesWithin(dir, wanted, map[string]bool{})
}

// filesWithin is filesBelow without the folders of entered, by which links may lead in a
// circle.
func filesWithin(dir string, wanted func(path string) bool, entered map[string]bool) (files []string) {
	real, err := filepath.EvalSymlinks(dir)
	if err != nil || entered[real] {
		return nil // hashFiles finds what can't be read
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
	h := sha256.New()
	for _, file := range files {
		name, _ := filepath.Rel(root, file)
		data, err := disk.Read(file)
		sum := sha256.Sum256(data)
		h.Write([]byte(name + "\x00"))
		if err == nil {
			h.Write(sum[:])
		}
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}
