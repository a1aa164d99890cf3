// Package archive reads and writes the files of backups: archives, each with a manifest,
// and the store of uploads that they share. It knows no database and no format of dumps.
package archive

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"time"
)

// Names of an archive's members, in order.
const (
	ManifestMember    = "manifest.json"
	ReadmeMember      = "README"
	DefinitionMember  = "definition.toml"
	SecretsMember     = "secrets.toml"
	FilesMember       = "uploads.json"
	SumsMember        = "uploads.sha256"
	DescriptionMember = "database.json"
	DatabaseMember    = "database.sql.zst"
)

// members lists the allowed names besides the manifest.
var members = []string{ReadmeMember, DefinitionMember, SecretsMember, FilesMember, SumsMember, DescriptionMember, DatabaseMember}

// furtherMember matches the names of members with further databases.
var furtherMember = regexp.MustCompile(`^database\+[A-Za-z0-9_]{1,64}\.sql\.zst$`)

// IsDatabase reports whether a member belongs to the dump of a wiki's databases.
func IsDatabase(member string) bool {
	return member == DatabaseMember || member == DescriptionMember || furtherMember.MatchString(member)
}

// format is the version of the manifest's format. A newer one is refused.
const format = 1

// Manifest describes an archive and the code of its wiki. It is the first member.
type Manifest struct {
	Format       int               `json:"format"`
	Name         string            `json:"name"` // wiki
	Run          string            `json:"run"`  // run that made the archive
	Taken        time.Time         `json:"taken"`
	Before       string            `json:"before,omitempty"` // command that made the archive before it changed the wiki; empty: backup
	Farm         string            `json:"farm"`             // id of the farm
	Server       string            `json:"server"`
	Database     string            `json:"database"`
	Further      []string          `json:"further,omitempty"` // further databases
	Users        string            `json:"users,omitempty"`   // database whose accounts the wiki has in place of its own
	Codebase     string            `json:"codebase"`          // name of the wiki's codebase
	Version      string            `json:"version"`           // MediaWiki version of the codebase
	Fingerprint  string            `json:"fingerprint"`       // fingerprint of the codebase
	ComponentSet string            `json:"component_set"`     // codebase with the wiki's extensions and skins
	SQL          map[string]string `json:"sql,omitempty"`     // the farm's SQL files that were applied: file to checksum
	Members      []Member          `json:"members"`           // other members, in order
	Uploads      int               `json:"uploads"`           // number of files
	UploadBytes  int64             `json:"upload_bytes"`
	Images       string            `json:"images,omitempty"` // of a snapshot: the path of the upload folder in it
}

// Member is a file of an archive.
type Member struct {
	Name   string `json:"name"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

// digest matches a SHA-256 in manifests, lists and file names.
var digest = regexp.MustCompile(`^[0-9a-f]{64}$`)

// runName matches a run's id, the name of an archive.
var runName = regexp.MustCompile(`^[0-9]{8}-[0-9]{6}-[a-z0-9]+$`)

// IsRun reports whether a text has the form of a run's id.
func IsRun(text string) bool { return runName.MatchString(text) }

// DecodeManifest decodes a manifest and checks the forms of its names and checksums.
func DecodeManifest(data []byte) (m Manifest, err error) {
	if err := json.Unmarshal(data, &m); err != nil {
		return m, fmt.Errorf("%s: %w", ManifestMember, err)
	}
	switch {
	case m.Format > format:
		return m, fmt.Errorf("%s: a newer wikictl made it (format %d)", ManifestMember, m.Format)
	case m.Images != "" && !filepath.IsLocal(m.Images):
		return m, fmt.Errorf("%s: the path %q leads out of the snapshot", ManifestMember, m.Images)
	case m.Name == "" || m.Database == "" || m.Version == "" || !IsRun(m.Run):
		return m, fmt.Errorf("%s: it does not name its wiki", ManifestMember)
	}
	for i, member := range m.Members {
		known := (slices.Contains(members, member.Name) || furtherMember.MatchString(member.Name)) && filepath.Base(member.Name) == member.Name
		twice := slices.ContainsFunc(m.Members[:i], func(o Member) bool { return o.Name == member.Name })
		if !known || twice || !digest.MatchString(member.SHA256) || member.Bytes < 0 {
			return m, fmt.Errorf("%s: the member %q is not one that wikictl writes", ManifestMember, member.Name)
		}
	}
	return m, nil
}

// readme explains how to use an archive without wikictl.
const readme = `A backup of the wiki %[1]s, made by wikictl on %[2]s UTC.

  manifest.json     what is in here, with SHA-256 of each member
  definition.toml   its definition, resolved; each line says where it came from
  secrets.toml      its passwords and keys
  database.sql.zst  its database %[3]s: zstdcat database.sql.zst | mariadb DATABASE
  database.json     rows and checksum of each table
  database+X.sql.zst  its further database X, if it has any, in the same way
`

// readmeUploads continues readme with the uploads of an archive, readmeImages with those of a
// snapshot.
const (
	readmeUploads = `  uploads.sha256    its uploads, by the names that they have in the folder "files" beside "wikis"
  uploads.json      the same, with modes and times

To bring the uploads back, in a new folder, with bash:

  while IFS= read -r line; do
    path=${line#*  }
    case $line in '\'*) line=${line#?}; printf -v path %b "$path" ;; esac
    sum=${line%%  *}
    install -D -m 644 "ARCHIVES/files/${sum:0:2}/$sum" "images/$path"
  done < uploads.sha256
  cd images && sha256sum --quiet -c ../uploads.sha256
`
	readmeImages = `  %s  its uploads
`
)

// Readme returns the text of the member that explains an archive to its reader.
func Readme(m Manifest) string {
	text := fmt.Sprintf(readme, m.Name, m.Taken.UTC().Format(time.DateTime), m.Database)
	if m.Images != "" {
		return text + fmt.Sprintf(readmeImages, m.Images)
	}
	return text + readmeUploads
}
