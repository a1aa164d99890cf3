package deploy

import (
	"errors"
	"os"

	"wikictl/tenants/disk"
)

// common is a file of virtual hosts that belongs to no tenant, and its change in a journal.
type common struct {
	path string
	kind *Kind
	data *[]byte
}

func (d *Deployer) commons(j *journal) [2]common {
	return [2]common{
		{d.DefaultVhost(), &j.Default, &j.DefaultData},
		{d.layout.HostsVhost(), &j.Hosts, &j.HostsData},
	}
}

// common reports whether a journal changes files of no tenant.
func (j *journal) common() bool { return j.Default != "" || j.Hosts != "" }

// wanted returns the wanted files, in the order of commons. An empty one must not exist.
func (s Source) wanted() [2]file {
	hosts := file{data: s.Hosts}
	if len(s.Hosts) == 0 {
		hosts.data = nil
	}
	return [2]file{{data: s.Default}, hosts}
}

// planCommon adds the changes of the files of no tenant to a journal.
func (d *Deployer) planCommon(j *journal, s Source) error {
	given := [2]bool{s.Default != nil, s.Hosts != nil}
	for i, c := range d.commons(j) {
		if !given[i] {
			continue
		}
		if err := planOne(c, s.wanted()[i].data); err != nil {
			return err
		}
	}
	return nil
}

// planOne plans one of the files; nil stands for none.
func planOne(c common, data []byte) error {
	if data == nil {
		if Exists(c.path) || *c.kind != "" {
			*c.kind, *c.data = mergeKind(*c.kind, Delete), nil
		}
		return nil
	}
	if *c.kind != "" {
		*c.data = data
	}
	found, err := compareFile(c.path, data, false)
	if err != nil || found == equal {
		return err
	}
	kind := Edit
	if found == absent {
		kind = Add
	}
	*c.kind, *c.data = mergeKind(*c.kind, kind), data
	return nil
}

func (d *Deployer) bringCommon(j journal) error {
	for _, c := range d.commons(&j) {
		if err := bringOne(c); err != nil {
			return err
		}
	}
	return nil
}

func bringOne(c common) error {
	switch *c.kind {
	case "":
		return nil
	case Delete:
		return bring(part{installed: c.path}, Delete)
	case Edit:
		if !Exists(beside(c.path, "old")) {
			if err := os.Link(c.path, beside(c.path, "old")); disk.IgnoreAbsent(err) != nil {
				return err
			}
		}
	}
	// The next run finds the file by this name if this run is killed here.
	temporary := beside(c.path, "new")
	if err := remove(temporary); err != nil {
		return err
	}
	if err := create(temporary, *c.data, 0o644, -1); err != nil {
		return err
	}
	return os.Rename(temporary, c.path)
}

func (d *Deployer) takeBackCommon(j journal) (err error) {
	for _, c := range d.commons(&j) {
		err = errors.Join(err, takeBack(c.path, *c.kind))
	}
	return err
}
