package tenants

import "slices"

// ElsewhereSettings are the settings that may store uploads in other places than the upload folder.
var ElsewhereSettings = []string{"wgLocalFileRepo", "wgFileBackends"}

// elsewhereExtensions are extensions that change these settings when they are loaded.
var elsewhereExtensions = []string{"AWS"}

// UploadFolders describes how a tenant's uploads are arranged below its upload folder.
type UploadFolders struct {
	Known  bool // false: settings or extensions may store them elsewhere
	Hashed bool // Manual:$wgHashedUploadDirectory
	Sure   bool // false: PHP of the farm's own may change all of this
}

// UploadFolders returns how the tenant's uploads are arranged, by its definition.
func (t *Tenant) UploadFolders() UploadFolders {
	u := UploadFolders{Known: true, Hashed: true, Sure: len(t.Include) == 0}
	for _, name := range ElsewhereSettings {
		if _, set := t.Settings[name]; set {
			u.Known = false
		}
	}
	if v, set := t.Settings["wgHashedUploadDirectory"]; set {
		hashed, plain := v.Data.(bool)
		u.Hashed, u.Known = hashed, u.Known && plain
	}
	u.Known = u.Known && !slices.ContainsFunc(t.Extensions, func(name string) bool { return slices.Contains(elsewhereExtensions, name) })
	return u
}
