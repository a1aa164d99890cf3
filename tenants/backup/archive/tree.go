package archive

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"wikictl/tenants/disk"
)

// WriteTree writes the manifest and the members of a backup as files, mode 0600, into a folder,
// for a store that takes files. It does not write parts with a Path, which are in the folder
// already. It fills in m.Members, and returns the total size in bytes.
func WriteTree(dir string, m *Manifest, parts []Part) (bytes int64, err error) {
	head, err := m.complete(parts)
	if err != nil {
		return 0, err
	}
	for _, p := range append([]Part{{Name: ManifestMember, Data: head}}, parts...) {
		if p.Path != "" {
			continue
		}
		if err := os.WriteFile(filepath.Join(dir, p.Name), p.Data, 0o600); err != nil {
			return 0, err
		}
	}
	bytes = int64(len(head))
	for _, member := range m.Members {
		bytes += member.Bytes
	}
	return bytes, nil
}

// Scan lists the files and links of an upload folder as Keep does, without reading the files:
// checksums are empty.
func Scan(ctx context.Context, folder string) (u Uploads, err error) {
	root, err := os.OpenRoot(folder)
	if err != nil {
		return u, disk.IgnoreAbsent(err)
	}
	defer root.Close()
	u.Links = map[string]string{}
	err = walk(ctx, root, func(name string, e fs.DirEntry) error {
		if e.Type()&fs.ModeSymlink != 0 {
			return u.addLink(root, name)
		}
		if !e.Type().IsRegular() {
			u.noteIrregular(name, e)
			return nil
		}
		info, err := e.Info()
		if err == nil {
			u.Files = append(u.Files, uploadOf(name, info))
		}
		return disk.IgnoreAbsent(err)
	})
	return u, err
}

// PackedFile returns the path of the archive that Pack makes in a folder.
func PackedFile(dir, run string) string { return FileOf(filepath.Join(dir, "wikis", "packed"), run) }

// Pack makes an archive, with a store beside it, in a folder, from the files of WriteTree and the
// uploads. It compares each member with the manifest. Pack removes the tree, and can be repeated
// with another copy of it.
func Pack(ctx context.Context, tree, dir string) (*Archive, error) {
	data, err := disk.Read(filepath.Join(tree, ManifestMember))
	if err != nil {
		return nil, err
	}
	m, err := DecodeManifest(data)
	if err != nil {
		return nil, err
	}
	parts, err := partsOf(tree, m)
	if err != nil {
		return nil, err
	}
	half := filepath.Join(dir, "half")
	u := Uploads{Files: []Upload{}}
	if m.Images != "" {
		if u, err = NewStore(dir).Keep(ctx, filepath.Join(tree, m.Images), half, Uploads{}); err != nil {
			return nil, err
		}
	}
	list, err := u.Encode()
	if err != nil {
		return nil, err
	}
	// The lists come before the databases, so that they can be read alone.
	at := slices.IndexFunc(parts, func(p Part) bool { return IsDatabase(p.Name) })
	parts = slices.Insert(parts, max(at, 0), Part{Name: FilesMember, Data: list}, Part{Name: SumsMember, Data: u.Sums()})
	m.Uploads, m.UploadBytes, m.Images = len(u.Files), u.Bytes(), ""
	file := PackedFile(dir, m.Run)
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return nil, err
	}
	if err := Write(file, &m, parts); err != nil {
		return nil, err
	}
	return &Archive{Manifest: m, File: file}, errors.Join(os.RemoveAll(tree), os.RemoveAll(half))
}

// partsOf returns the members of a manifest as parts of a folder, compared with it.
func partsOf(dir string, m Manifest) (parts []Part, err error) {
	for _, want := range m.Members {
		if want.Name == FilesMember || want.Name == SumsMember {
			return nil, fmt.Errorf("%s: a snapshot has no %s", ManifestMember, want.Name)
		}
		p := Part{Name: want.Name, Path: filepath.Join(dir, want.Name)}
		got, err := p.member()
		if err != nil {
			return nil, err
		}
		if got != want {
			return nil, fmt.Errorf("%s: its SHA-256 is %s, but %s was written", want.Name, got.SHA256, want.SHA256)
		}
		parts = append(parts, p)
	}
	return parts, nil
}
