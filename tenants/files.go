package tenants

import "io/fs"

// File is a file of the farm as a whole, such as a host map or a portal page, that wikictl
// makes from one of the farm's own templates.
type File struct {
	Name     string      // of its table in wikictl.toml
	Template string      // file name in the folder of the farm's templates
	Path     string      // absolute
	Kind     string      // one of FileKinds: how values are escaped
	Mode     fs.FileMode // permission bits
	Owner    string      // user name; empty: who runs wikictl
	Group    string      // group name; empty: that of who runs wikictl
	Position Position
}

// FileKinds are the kinds of files that can be made for the farm as a whole.
func FileKinds() []string {
	return []string{"html", "json", "nginx", "apache", "php", "hosts", "conf"}
}
