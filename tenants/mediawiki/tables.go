package mediawiki

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"wikictl/tenants"
)

// tableFiles are MediaWiki's files with the SQL of its tables: up to 1.38, when a growing
// part was in the second, up to 1.43, and later.
var tableFiles = []string{"maintenance/tables.sql", "maintenance/tables-generated.sql", "sql/mysql/tables-generated.sql"}

// CacheTables lists the tables whose content MediaWiki regenerates, under keys that
// contain the database's name.
func CacheTables() []string { return []string{"objectcache", "l10n_cache", "module_deps"} }

// addTable matches an entry of the updater's list that creates a missing table
// (MysqlUpdater.php).
var addTable = regexp.MustCompile(`'addTable',\s*'(\w+)'`)

// updaterFiles are the files with that list: up to 1.43, and later.
var updaterFiles = []string{"includes/installer/MysqlUpdater.php", "includes/Installer/MysqlUpdater.php"}

// Unmade returns the tables of both an old and a new core that a database lacks and that
// the new updater does not create: it assumes that they exist, and fails on some and
// silently skips others. old and path are the folders of the code.
func Unmade(old, path string, has func(table string) bool) ([]string, error) {
	before, err := CoreTables(old)
	if err != nil {
		return nil, err
	}
	wanted, err := CoreTables(path)
	if err != nil {
		return nil, err
	}
	made := map[string]bool{}
	for _, name := range updaterFiles {
		text, err := os.ReadFile(filepath.Join(path, name))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		for _, m := range addTable.FindAllSubmatch(text, -1) {
			made[string(m[1])] = true
		}
	}
	return slices.DeleteFunc(wanted, func(table string) bool { return has(table) || made[table] || !slices.Contains(before, table) }), nil
}

// UnmadeProblem describes such tables and the repair.
func UnmadeProblem(tables []string, c *tenants.Codebase) string {
	files := tableFiles[1]
	for _, name := range tableFiles {
		if _, err := os.Stat(filepath.Join(c.Path, name)); err == nil {
			files = name
		}
	}
	return fmt.Sprintf("its database has no table %s, which update.php does not make; restore it from a backup, or run its CREATE TABLE from %s (without /*_*/)",
		strings.Join(tables, ", "), filepath.Join(c.Path, files))
}

var createTable = regexp.MustCompile(`CREATE TABLE /\*_\*/(\w+)`)

// CoreTables lists the tables of MediaWiki's core code at a path.
func CoreTables(path string) ([]string, error) {
	var tables []string
	for _, name := range tableFiles {
		text, err := os.ReadFile(filepath.Join(path, name))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		for _, m := range createTable.FindAllSubmatch(text, -1) {
			tables = append(tables, string(m[1]))
		}
	}
	if len(tables) == 0 {
		return nil, fmt.Errorf("%s does not contain any of %v", path, tableFiles)
	}
	return tables, nil
}
