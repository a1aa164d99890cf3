package tenants

import "strings"

// IsBelow reports whether a path of an address is folder or lies below it. Neither ends with
// a slash; "" is the root, which holds every path.
func IsBelow(path, folder string) bool { return strings.HasPrefix(path+"/", folder+"/") }

// PathsCollide reports whether two tenants can't have these paths on one host: the paths are
// equal, or one lies below the other. The root, "", collides only with itself.
func PathsCollide(a, b string) bool {
	if a == "" || b == "" {
		return a == b
	}
	return IsBelow(a, b) || IsBelow(b, a)
}
