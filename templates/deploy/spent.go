package deploy

import (
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"wikictl/tenants/disk"
)

// spend records the numbers of a tenant's releases before its folder leaves its path. No later
// release gets one of them: php-fpm remembers for minutes to which code a path led
// (realpath_cache_ttl), and perhaps for longer which settings it had (opcache.validate_timestamps).
// Another wiki of that name, or the same one from a backup, would run on that code.
func (d *Deployer) spend(tenant string) error {
	numbers, err := d.Releases(tenant)
	if err != nil || len(numbers) == 0 {
		return err
	}
	spent, err := d.spent()
	if highest := numbers[len(numbers)-1]; err == nil && highest > spent {
		err = WriteFile(d.layout.Spent(), []byte(strconv.Itoa(highest)+"\n"), 0o600, -1)
	}
	return err
}

// spent returns the highest number that spend has recorded.
func (d *Deployer) spent() (int, error) {
	text, err := disk.Read(d.layout.Spent())
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	number, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return 0, fmt.Errorf("%s: it does not hold a number; write the highest number of any release into it: %w", d.layout.Spent(), err)
	}
	return number, nil
}
