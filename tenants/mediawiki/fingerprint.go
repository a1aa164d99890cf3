package mediawiki

import (
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"path/filepath"
	"strings"

	"wikictl/tenants/disk"
)

// coreFiles are what decides the schema that a MediaWiki tree makes, besides
// the folders of coreFolders.
var coreFiles = []string{"includes/Defines.php", "composer.lock", "vendor/composer/installed.json", ".git/HEAD"}

var coreFolders = []string{"includes/installer", "maintenance"}

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

// filesBelow lists the regular files that are wanted, in a fixed order.
func filesBelow(dir string, wanted func(path string) bool) []string {
	var files []string
	filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return nil // hashFiles finds what can't be read
		}
		if e.IsDir() && (e.Name() == "node_modules" || e.Name() == "i18n" || e.Name() == "tests") {
			return filepath.SkipDir
		}
		if e.Type().IsRegular() && wanted(path) {
			files = append(files, path)
		}
		return nil
	})
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
