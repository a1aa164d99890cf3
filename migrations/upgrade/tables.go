package upgrade

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
)

// tableFiles are where MediaWiki keeps the SQL of its tables: up to 1.43, and
// later.
var tableFiles = []string{"maintenance/tables-generated.sql", "sql/mysql/tables-generated.sql"}

var createTable = regexp.MustCompile(`CREATE TABLE /\*_\*/(\w+)`)

// coreTables are the tables that MediaWiki's code at a path works with.
func coreTables(path string) ([]string, error) {
	for _, name := range tableFiles {
		text, err := os.ReadFile(filepath.Join(path, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		var tables []string
		for _, m := range createTable.FindAllSubmatch(text, -1) {
			tables = append(tables, string(m[1]))
		}
		return tables, nil
	}
	return nil, fmt.Errorf("%s has none of %v", path, tableFiles)
}
