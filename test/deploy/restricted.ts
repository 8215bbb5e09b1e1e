// Pod Security "restricted" (https://kubernetes.io/docs/concepts/security/pod-security-standards), as rules over a pod, and what this
// house asks beyond it: nothing is written but what is named, no rights at the API, bounds of memory.
import type { Manifest, PodOf } from './rendered.ts';

const VOLUMES = [
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'persistentVolumeClaim',
  'projected',
  'secret',
];

/** What is wrong with it, each as a line; none: it is let in. */
export function unrestricted({ owner, spec }: PodOf): string[] {
  const said: string[] = [];
  const expect = (holds: boolean, what: string) => {
    if (!holds) said.push(`${owner}: ${what}`);
  };
  const pod = spec.securityContext ?? {};
  for (const name of ['hostNetwork', 'hostPID', 'hostIPC']) expect(!spec[name], `${name} is set`);
  expect((pod.sysctls ?? []).length === 0, 'sysctls are set');
  for (const volume of spec.volumes ?? [])
    expect(
      Object.keys(volume).every((key) => key === 'name' || VOLUMES.includes(key)),
      `the volume ${volume.name} is of no kind that is allowed`,
    );
  for (const container of [...(spec.initContainers ?? []), ...spec.containers]) {
    const own = container.securityContext ?? {};
    const either = (name: string) => own[name] ?? pod[name];
    expect(either('runAsNonRoot') === true, 'runAsNonRoot is not true');
    expect((either('runAsUser') ?? 0) !== 0, 'the user is root, or only the image says who it is');
    expect(
      ['RuntimeDefault', 'Localhost'].includes(either('seccompProfile')?.type),
      'there is no seccomp profile',
    );
    expect(own.allowPrivilegeEscalation === false, 'it may gain privileges');
    expect(own.privileged !== true, 'it is privileged');
    expect(own.capabilities?.drop?.includes('ALL') === true, 'capabilities are not dropped');
    expect(
      (own.capabilities?.add ?? []).every((one: string) => one === 'NET_BIND_SERVICE'),
      'capabilities are added',
    );
    expect(
      (container.ports ?? []).every((one: Manifest) => !one.hostPort),
      'a port of the node is taken',
    );
    expect(own.readOnlyRootFilesystem === true, 'its file system can be written');
    expect(container.resources?.limits?.memory !== undefined, 'its memory has no bound');
    expect(container.resources?.requests?.cpu !== undefined, 'it asks for no CPU');
  }
  expect(spec.automountServiceAccountToken === false, 'it gets a token for the API');
  for (const volume of spec.volumes ?? [])
    if (volume.emptyDir) expect(volume.emptyDir.sizeLimit !== undefined, `${volume.name} has no bound`);
  return said;
}
