package observe

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"regexp"

	"wikictl/tenants"
	"wikictl/tenants/disk"
	"wikictl/tenants/ledger"
	"wikictl/tenants/mariadb/schema"
)

// Reference is the schema that the databases of a component set should have.
type Reference struct {
	Schema schema.Schema
	Source string // its origin
}

// enough is the minimum number of wikis of a component set for which the schema of the
// majority serves as reference.
const enough = 3

// readReferences returns for each component set the schema of its golden, which MediaWiki's own
// installer and updater made. Without a golden, as for wikis that were upgraded to their code,
// it returns the schema of most wikis.
func readReferences(l tenants.Layout, t *Observed) (map[string]Reference, error) {
	bySet := map[string][]schema.Schema{}
	for name, row := range t.Ledger {
		_, open := t.History.Upgrades[name]
		state := t.Servers[row.Server]
		if row.State != ledger.Ready || t.Busy[name] != "" || open || state.Err != nil || state.Inspection == nil {
			continue
		}
		if found := state.Databases[row.Database]; found != nil {
			bySet[row.ComponentSet] = append(bySet[row.ComponentSet], found.Schema)
		}
	}
	references := map[string]Reference{}
	for set, schemas := range bySet {
		golden, err := readGoldenSchema(l.GoldenSchema(set))
		if errors.Is(err, fs.ErrPermission) {
			t.Farm.Unseen, err = append(t.Farm.Unseen, err.Error()), nil
		}
		switch {
		case err != nil:
			return nil, err
		case golden != nil:
			references[set] = Reference{golden, "a fresh wiki of its code"}
		case len(schemas) >= enough:
			references[set] = Reference{schema.Common(schemas), fmt.Sprintf("most of the %d wikis of its code", len(schemas))}
		}
	}
	return references, nil
}

// readGoldenSchema returns nil if the file is missing: goldens of an older wikictl have
// none.
func readGoldenSchema(file string) (schema.Schema, error) {
	data, err := disk.Read(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	schema, err := schema.Decode(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w; remove it", file, err)
	}
	return schema, nil
}

// SQLWords is the set of words in one file of the farm's own SQL.
type SQLWords map[string]bool

var word = regexp.MustCompile(`\w+`)

// readFarmSQL reads the words of the *.sql files in a folder, which may be absent.
func readFarmSQL(folder string) ([]SQLWords, error) {
	files, err := filepath.Glob(filepath.Join(folder, "*.sql"))
	if err != nil {
		return nil, err
	}
	var all []SQLWords
	for _, file := range files {
		text, err := disk.Read(file)
		if err != nil {
			return nil, err
		}
		w := SQLWords{}
		for _, name := range word.FindAllString(string(text), -1) {
			w[name] = true
		}
		all = append(all, w)
	}
	return all, nil
}

// Explains reports whether the farm's own SQL may have caused a difference: one of its
// files contains the table, and the column or index.
func (w SQLWords) Explains(d schema.Difference) bool {
	return w[d.Table] && (d.Name == "" || w[d.Name])
}
