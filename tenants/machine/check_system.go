package machine

import (
	"maps"
	"slices"
)

// The requirements on the machine itself.
const (
	fullDisk    = 200 << 20 // bytes
	scarceDisk  = 2 << 30
	leastInodes = 10_000
	leastFiles  = 1024
	leastMemory = 900 << 20
)

// disks checks the free space.
func (j *checker) disks() {
	for _, d := range j.facts.Disks {
		check, level := "disk "+d.Path, OK
		if d.ReadOnly {
			j.say(check, Error, "state", "the file system of %s for %s is mounted read-only", d.Path, d.What).Hint = "read the kernel's messages (dmesg) for the reason, then mount it read-write"
			continue
		}
		switch {
		case d.Free < fullDisk:
			level = Error
		case d.Free < scarceDisk || d.Inodes > 0 && d.Inodes < leastInodes:
			level = Warning
		}
		found := j.say(check, level, "state", "%d MB and %d inodes are free at %s for %s", d.Free>>20, d.Inodes, d.Path, d.What)
		if level > OK {
			found.Hint = "free space there, or move it to a larger disk"
		}
	}
}

// limits checks memory, open files, the clock, and the services that start at boot.
func (j *checker) limits() {
	m := j.facts.Machine
	if m.Memory > 0 && m.Memory < leastMemory {
		j.say("memory", Warning, "", "programs may use %d MB of memory, but MediaWiki's updater alone needs some hundred MB", m.Memory>>20).Hint = "give the machine 2 GB"
	} else {
		j.say("memory", OK, "", "%d MB of memory, %d cores", m.Memory>>20, m.Cores)
	}
	if j.facts.Files < leastFiles {
		j.say("open-files", Warning, "", "a process may have %d files open", j.facts.Files).Hint = "ulimit -n 65536, or LimitNOFILE of the unit"
	} else {
		j.say("open-files", OK, "", "a process may have %d files open", j.facts.Files)
	}
	if j.facts.Clock {
		j.say("clock", OK, "", "the clock is synchronised")
	} else {
		found := j.say("clock", Note, "", "the kernel's clock is not synchronised; edits and dumps have its times")
		if j.facts.Systemd {
			j.install(found, "systemd-timesyncd")
		} else {
			found.Hint = "on a virtual machine or in a container, its host may synchronise it"
		}
	}
	for _, u := range j.facts.Units {
		if u.Enabled {
			j.say("unit "+u.Name, OK, "", "%s starts at boot", u.Name)
			continue
		}
		j.say("unit "+u.Name, Warning, "", "%s does not start at boot", u.Name).Repair = []string{"systemctl enable " + u.Name}
	}
	for _, name := range slices.Sorted(maps.Keys(j.farm.Servers)) {
		if j.farm.Servers[name].Managed {
			j.say("unit "+name, Note, "servers."+name, "the managed server %s does not start at boot, only with the next command that writes", name).Hint =
				"wikictl --farm " + quote(j.farm.Dir) + " server start, such as by a line with @reboot of root's crontab"
		}
	}
}
