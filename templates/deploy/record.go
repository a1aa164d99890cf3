package deploy

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"wikictl/templates"
	"wikictl/tenants"
	"wikictl/tenants/disk"
)

// Record lets Apply skip tenants whose files were as wanted before: it holds a digest of the
// inputs from which they were rendered, and the identities of the files. A tenant is neither
// rendered nor read again while both are the same. Another build of wikictl ignores it, because
// it may render other files. A Record is safe for concurrent use.
type Record struct {
	layout  tenants.Layout
	start   time.Time // of this run
	program string    // identity of this program; empty: unknown
	secrets sync.Map  // identified, by tenant
	listed  func() map[string]bool

	mu      sync.Mutex
	of      map[string]recorded // by tenant
	changed bool
}

// recorded is one tenant's line. Its inputs include the identity of its secrets.
type recorded struct {
	inputs, files string
	asked         []reply
}

// reply is the digest of the tenants that an expression of a template chose.
type reply struct{ where, digest string }

// recordHead begins the file of a Record; a program ignores a file with another beginning.
const recordHead = "wikictl record 1 "

// ReadRecord reads the farm's record. The result is empty if the file is missing, damaged, or
// from another program.
func ReadRecord(l tenants.Layout) *Record {
	r := &Record{layout: l, start: time.Now(), of: map[string]recorded{}}
	r.listed = sync.OnceValue(func() map[string]bool { return list(l.Vhosts(), l.Pools()) })
	info, err := os.Stat("/proc/self/exe")
	if err != nil {
		return r
	}
	r.program = identity(info)
	data, err := disk.Read(l.Record())
	if err != nil {
		return r
	}
	if found, ok := parseRecord(string(data), r.program); ok {
		r.of = found
	}
	return r
}

// parseRecord reads the lines of a record: a head, a line for each tenant, and a digest of
// these.
func parseRecord(text, program string) (map[string]recorded, bool) {
	text, ok := strings.CutPrefix(text, recordHead+program+"\n")
	end := strings.LastIndexByte(strings.TrimSuffix(text, "\n"), '\n') + 1
	if !ok || text[end:] != tenants.Digest([]byte(text[:end]))+"\n" {
		return nil, false
	}
	found := map[string]recorded{}
	for line := range strings.Lines(text[:end]) {
		fields := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(fields) < 3 || len(fields)%2 == 0 {
			return nil, false
		}
		one := recorded{inputs: fields[1], files: fields[2]}
		for pair := range slices.Chunk(fields[3:], 2) {
			where, err := strconv.Unquote(pair[0])
			if err != nil {
				return nil, false
			}
			one.asked = append(one.asked, reply{where, pair[1]})
		}
		found[fields[0]] = one
	}
	return found, true
}

// text returns the lines that parseRecord reads.
func (r *Record) text() string {
	lines := make([]string, 0, len(r.of))
	for name, one := range r.of {
		line := name + "\t" + one.inputs + "\t" + one.files
		for _, a := range one.asked {
			line += "\t" + strconv.Quote(a.where) + "\t" + a.digest
		}
		lines = append(lines, line+"\n")
	}
	slices.Sort(lines)
	all := strings.Join(lines, "")
	return recordHead + r.program + "\n" + all + tenants.Digest([]byte(all)) + "\n"
}

// save writes the record if it changed. It ignores errors, which only make the next run slower.
func (r *Record) save() {
	if r.changed && r.program != "" {
		_ = WriteFile(r.layout.Record(), []byte(r.text()), 0o600, -1)
	}
}

// Rendered reports whether the record has a tenant's files as rendered from the same inputs.
func (r *Record) Rendered(set *templates.Set, d templates.Data) bool {
	r.mu.Lock()
	one, known := r.of[d.Tenant.Name]
	r.mu.Unlock()
	if !known {
		return false
	}
	inputs, _, ok := r.inputs(set, d)
	return ok && one.from(inputs, set, d.Farm)
}

// Same reports whether a tenant's files were as rendered from the same inputs, and have not been
// touched since.
func (r *Record) Same(set *templates.Set, d templates.Data) bool {
	_, same := r.state(set, d)
	return same
}

// from reports whether rendering from inputs would give the recorded files again.
func (one recorded) from(inputs string, set *templates.Set, f *tenants.Farm) bool {
	return one.inputs == inputs && !slices.ContainsFunc(one.asked, func(a reply) bool {
		digest, ok := set.Answer(f, a.where)
		return !ok || digest != a.digest
	})
}

// inputs returns a digest of the inputs from which a tenant's files are rendered, and when its
// secrets changed.
func (r *Record) inputs(set *templates.Set, d templates.Data) (inputs string, changed time.Time, ok bool) {
	inputs, ok = set.Inputs(d)
	if !ok || r.program == "" {
		return "", changed, false
	}
	secrets, changed, ok := r.secretsOf(d.Tenant.Name)
	return inputs + " " + secrets, changed, ok
}

// identified is what identities returns.
type identified struct {
	all    string
	latest time.Time
	ok     bool
}

// secretsOf identifies a tenant's secrets as they are when it is first called.
func (r *Record) secretsOf(tenant string) (identity string, changed time.Time, ok bool) {
	found, known := r.secrets.Load(tenant)
	if !known {
		var now identified
		now.all, now.latest, now.ok = identities(r.layout.Secrets(tenant))
		found, _ = r.secrets.LoadOrStore(tenant, now)
	}
	one := found.(identified)
	return one.all, one.latest, one.ok
}

// list returns the files in folders, or nil if that can't be known. A missing folder has none.
func list(folders ...string) map[string]bool {
	all := map[string]bool{}
	for _, folder := range folders {
		entries, err := os.ReadDir(folder)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		for _, e := range entries {
			all[filepath.Join(folder, e.Name())] = true
		}
	}
	return all
}

// filesOf lists the files of a tenant by which its state is told. Those below its current release
// are found through the link to it, which need not be told as well. Those that most tenants do
// not have are left out if they were missing when this run first listed their folders.
func (r *Record) filesOf(tenant string) []string {
	l, listed := r.layout, r.listed()
	current := l.Current(tenant)
	files := []string{filepath.Join(current, coreLink), l.LocalSettings(tenant), l.Vhost(tenant)}
	for _, file := range []string{l.Pool(tenant), l.OtherVhost(tenant)} {
		if listed == nil || listed[file] {
			files = append(files, file)
		}
	}
	return files
}

// state identifies the inputs from which a tenant's files are rendered, and the files on disk,
// before they are read.
type state struct {
	recorded
	lasting bool // every file is older than lastingAge: a further change will show in its times
}

// lastingAge is the age of a file from which a further change gives it other times: file
// systems store times with a resolution of up to two seconds.
const lastingAge = 3 * time.Second

// state returns the current state of a tenant. same reports whether the record has that state.
func (r *Record) state(set *templates.Set, d templates.Data) (now state, same bool) {
	inputs, changed, ok := r.inputs(set, d)
	if !ok {
		return now, false
	}
	files, latest, ok := identities(r.filesOf(d.Tenant.Name)...)
	if !ok {
		return now, false
	}
	now = state{recorded{inputs: inputs, files: files}, changed.Before(r.start.Add(-lastingAge)) && latest.Before(r.start.Add(-lastingAge))}
	r.mu.Lock()
	one, known := r.of[d.Tenant.Name]
	r.mu.Unlock()
	return now, known && one.files == files && one.from(inputs, set, d.Farm)
}

// note records that a tenant's files are as wanted, or forgets the tenant if that is not
// known. before is its state before the files were compared.
func (r *Record) note(f *tenants.Farm, set *templates.Set, name string, before state, wanted bool, asked []string) {
	for _, where := range asked {
		digest, ok := set.Answer(f, where)
		wanted = wanted && ok
		before.asked = append(before.asked, reply{where, digest})
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	_, known := r.of[name]
	switch {
	case wanted && before.lasting && before.inputs != "":
		r.of[name], r.changed = before.recorded, true
	case known:
		delete(r.of, name)
		r.changed = true
	}
}

// identities identifies files by their inodes and times: a change of any of them, also of its
// mode or owner, changes the result. latest is the time of the latest change. Missing files
// count; ok is false if a file can't be inspected.
func identities(paths ...string) (all string, latest time.Time, ok bool) {
	text := make([]byte, 0, 256*len(paths))
	for _, path := range paths {
		info, err := os.Lstat(path)
		text = append(append(text, path...), ' ')
		switch {
		case errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR):
			text = append(text, "absent\n"...)
			continue
		case err != nil:
			return "", latest, false
		}
		text = append(appendIdentity(text, info), '\n')
		s := info.Sys().(*syscall.Stat_t)
		if at := time.Unix(s.Ctim.Unix()); at.After(latest) {
			latest = at
		}
	}
	return tenants.Digest(text), latest, true
}

// identity identifies the content of a file by its inode, size, times, mode and owner.
func identity(info fs.FileInfo) string { return string(appendIdentity(nil, info)) }

func appendIdentity(text []byte, info fs.FileInfo) []byte {
	s := info.Sys().(*syscall.Stat_t)
	for _, n := range []int64{int64(s.Dev), int64(s.Ino), s.Size, s.Mtim.Nano(), s.Ctim.Nano(), int64(s.Mode), int64(s.Uid), int64(s.Gid)} {
		text = append(strconv.AppendInt(text, n, 10), '-')
	}
	return text
}
