// Writes every object of govmomi's simulated vCenter into a folder, a file each, as `govc object.save` does.
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/vmware/govmomi"
	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/property"
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/view"
	"github.com/vmware/govmomi/vim25/types"
	"github.com/vmware/govmomi/vim25/xml"
)

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func main() {
	ctx := context.Background()
	model := simulator.VPX()
	model.Datacenter, model.Cluster, model.ClusterHost, model.Host, model.Machine = 2, 1, 2, 1, 2
	model.Pool, model.Folder = 1, 1
	check(model.Create())
	server := model.Service.NewServer()
	defer server.Close()
	client, err := govmomi.NewClient(ctx, server.URL, true)
	check(err)
	root := client.ServiceContent.RootFolder
	kinds := []string{"ManagedEntity"}
	found, err := view.NewManager(client.Client).CreateContainerView(ctx, root, kinds, true)
	check(err)
	var entities []types.ObjectContent
	check(found.Retrieve(ctx, kinds, nil, &entities))
	var machine *object.VirtualMachine
	var refs = []types.ManagedObjectReference{root, *client.ServiceContent.CustomFieldsManager}
	for _, each := range entities {
		refs = append(refs, each.Obj)
		if each.Obj.Type == "VirtualMachine" && machine == nil {
			machine = object.NewVirtualMachine(client.Client, each.Obj)
		}
	}
	for _, name := range []string{"first", "second"} {
		task, err := machine.CreateSnapshot(ctx, name, "before "+name, false, false)
		check(err)
		check(task.Wait(ctx))
	}
	fields, err := object.GetCustomFieldsManager(client.Client)
	check(err)
	field, err := fields.Add(ctx, "Owner", "VirtualMachine", nil, nil)
	check(err)
	check(fields.Set(ctx, machine.Reference(), field.Key, "team a"))
	collector := property.DefaultCollector(client.Client)
	for number, ref := range refs {
		request := types.RetrieveProperties{
			This: collector.Reference(),
			SpecSet: []types.PropertyFilterSpec{{
				ObjectSet: []types.ObjectSpec{{Obj: ref}},
				PropSet:   []types.PropertySpec{{Type: ref.Type, All: types.NewBool(true)}},
			}},
		}
		answer, err := collector.RetrieveProperties(ctx, request)
		check(err)
		for _, content := range answer.Returnval {
			content.MissingSet = nil
			file, err := os.Create(filepath.Join(os.Args[1], fmt.Sprintf("%04d-%s.xml", number, ref.Encode())))
			check(err)
			encoder := xml.NewEncoder(file)
			encoder.Indent("", "  ")
			check(encoder.Encode(content))
			check(file.Close())
		}
	}
}
