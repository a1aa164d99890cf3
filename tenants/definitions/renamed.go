package definitions

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
)

// checkRenamed refuses a managed server that has no data yet while the state folder has that of
// a server which no file defines. It may be the same server under another name: started anew, it
// would have neither the ledger nor the wikis, and every wiki would be made again, empty.
func (l *loader) checkRenamed() {
	servers := filepath.Dir(l.farm.Layout().Server("main"))
	entries, err := os.ReadDir(servers)
	if err != nil || l.farm.State == "" { // there is none yet, or it is not for this user to read
		return
	}
	has := map[string]bool{}
	for _, e := range entries {
		_, err := os.Stat(filepath.Join(servers, e.Name(), "data"))
		has[e.Name()] = err == nil
	}
	for _, old := range slices.Sorted(maps.Keys(has)) {
		if l.farm.Servers[old] != nil || !has[old] {
			continue
		}
		for _, name := range slices.Sorted(maps.Keys(l.farm.Servers)) {
			if server := l.farm.Servers[name]; server.Managed && !has[name] {
				l.report(server.Position, "servers."+name, "name it "+old+" again, or move that folder away if nothing in it is needed",
					"would be a new, empty server, and %s has the databases of one that no file defines", filepath.Join(servers, old))
			}
		}
	}
}
